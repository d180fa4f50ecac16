"""Wildlife Insights batch upload: four tables with fixed names (FORMATS.md section 6)."""

from __future__ import annotations

REGISTER = "wildlife_insights"  # in taxon_id: the platform's GUID of a species
BLANK_ID = "f1856211-cfb7-4a5b-9158-c0f72fd09ee6"
COMPUTER = "Computer Vision"  # in identified_by, where no person named it
RANKS = ("class", "order", "family", "genus", "species")  # species: the epithet alone
DATETIME = "%Y-%m-%d %H:%M:%S"

PROJECTS = (
    "project_name", "project_id", "project_short_name", "project_objectives", "project_species",
    "project_species_individual", "project_sensor_layout", "project_sensor_layout_targeted_type", "project_bait_use",
    "project_bait_type", "project_stratification", "project_stratification_type", "project_sensor_method",
    "project_individual_animals", "project_blank_images", "project_sensor_cluster", "project_admin",
    "project_admin_email", "country_code", "embargo", "initiative_id", "metadata_license", "image_license",
)  # fmt: skip
CAMERAS = ("project_id", "camera_id", "make", "model", "serial_number", "year_purchased")
DEPLOYMENTS = (
    "project_id", "deployment_id", "subproject_name", "subproject_design", "placename", "longitude", "latitude",
    "start_date", "end_date", "event_name", "event_description", "event_type", "bait_type", "bait_description",
    "feature_type", "feature_type_methodology", "camera_id", "quiet_period", "camera_functioning", "sensor_height",
    "height_other", "sensor_orientation", "orientation_other", "recorded_by",
)  # fmt: skip
IMAGES = (
    "project_id", "deployment_id", "image_id", "location", "identified_by", "wi_taxon_id", "class", "order", "family",
    "genus", "species", "common_name", "uncertainty", "timestamp", "number_of_objects", "highlighted", "age", "sex",
    "animal_recognizable", "individual_id", "individual_animal_notes", "markings",
)  # fmt: skip
COLUMNS = {
    "projects.csv": PROJECTS, "cameras.csv": CAMERAS, "deployments.csv": DEPLOYMENTS, "images.csv": IMAGES,
}  # fmt: skip
REQUIRED = {
    "projects.csv": ("project_name", "project_id"),
    "cameras.csv": ("project_id", "camera_id"),
    "deployments.csv": ("project_id", "deployment_id", "longitude", "latitude", "start_date", "end_date", "camera_id"),
    "images.csv": ("project_id", "deployment_id", "image_id", "location", "wi_taxon_id", "timestamp", "number_of_objects"),
}  # fmt: skip
