"""Files of other tools become rows: read, judged, shown, and taken by the worker when a person says so."""
