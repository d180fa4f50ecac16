"""Where cameras stood and when: sites, periods, effort, and clocks."""
