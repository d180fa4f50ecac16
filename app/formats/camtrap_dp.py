"""Camtrap DP 1.0.2 (https://camtrap-dp.tdwg.org): the columns of its three tables in their order, and the words they may hold."""

from __future__ import annotations

import re
from urllib.parse import unquote

VERSION = "1.0.2"
BASE = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}"
PROFILE = f"{BASE}/camtrap-dp-profile.json"
TABLES = ("deployments", "media", "observations")
SCHEMAS = {name: f"{BASE}/{name}-table-schema.json" for name in TABLES}
OWN = "waterhole"  # our own part of datapackage.json
LABELS = "waterhole_labels"  # our own further resource: what the three tables cannot carry

DEPLOYMENTS = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty", "deploymentStart",
    "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay", "cameraHeight", "cameraDepth", "cameraTilt",
    "cameraHeading", "detectionDistance", "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups",
    "deploymentTags", "deploymentComments",
)  # fmt: skip
MEDIA = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName", "fileMediatype",
    "exifData", "favorite", "mediaComments",
)  # fmt: skip
OBSERVATIONS = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel",
    "observationType", "cameraSetupType", "scientificName", "count", "lifeStage", "sex", "behavior", "individualID",
    "individualPositionRadius", "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth",
    "bboxHeight", "classificationMethod", "classifiedBy", "classificationTimestamp", "classificationProbability",
    "observationTags", "observationComments",
)  # fmt: skip
COLUMNS = {"deployments": DEPLOYMENTS, "media": MEDIA, "observations": OBSERVATIONS}
REQUIRED = {
    "deployments": ("deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd"),
    "media": ("mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype"),
    "observations": (
        "observationID", "deploymentID", "eventStart", "eventEnd", "observationLevel", "observationType",
    ),
}  # fmt: skip

MISSING = ("", "NA", "NaN", "nan")
DATETIME = "%Y-%m-%dT%H:%M:%S%z"
FILE_PATH = re.compile(r"^(?=^[^./~])(^((?!\.{2}).)*$).*$")
MEDIA_TYPE = re.compile(r"^(image|video|audio)/.*$")

# field -> the words it may hold
WORDS: dict[str, tuple[str, ...]] = {
    "captureMethod": ("activityDetection", "timeLapse"),
    "observationLevel": ("media", "event"),
    "observationType": ("animal", "human", "vehicle", "blank", "unknown", "unclassified"),
    "cameraSetupType": ("setup", "calibration"),
    "lifeStage": ("adult", "subadult", "juvenile"),
    "sex": ("female", "male"),
    "classificationMethod": ("human", "machine"),
    "featureType": (
        "roadPaved", "roadDirt", "trailHiking", "trailGame", "roadUnderpass", "roadOverpass", "roadBridge", "culvert",
        "burrow", "nestSite", "carcass", "waterSource", "fruitingTree",
    ),
}  # fmt: skip
# field -> (least, most), None where it is open; the second table holds whole numbers
NUMBERS: dict[str, tuple[float | None, float | None]] = {
    "latitude": (-90, 90), "longitude": (-180, 180), "cameraHeight": (0, None), "cameraDepth": (0, None),
    "detectionDistance": (0, None), "individualPositionRadius": (0, None), "individualPositionAngle": (-90, 90),
    "individualSpeed": (0, None), "bboxX": (0, 1), "bboxY": (0, 1), "bboxWidth": (1e-15, 1), "bboxHeight": (1e-15, 1),
    "classificationProbability": (0, 1),
}  # fmt: skip
INTEGERS: dict[str, tuple[int | None, int | None]] = {
    "coordinateUncertainty": (1, None), "cameraDelay": (0, None), "cameraTilt": (-90, 90), "cameraHeading": (0, 360),
    "count": (1, None),
}  # fmt: skip
BOOLEANS = ("timestampIssues", "baitUse", "filePublic", "favorite")
TIMES = ("deploymentStart", "deploymentEnd", "timestamp", "eventStart", "eventEnd", "classificationTimestamp")

# datapackage.json
ROLES = ("contact", "principalInvestigator", "rightsHolder", "publisher", "contributor")
SAMPLING_DESIGNS = (
    "simpleRandom", "systematicRandom", "clusteredRandom", "experimental", "targeted", "opportunistic",
)  # fmt: skip
LICENSE_SCOPES = ("data", "media")
PACKAGE_REQUIRED = ("resources", "profile", "created", "contributors", "project", "spatial", "temporal", "taxonomic")
PROJECT_REQUIRED = ("title", "samplingDesign", "captureMethod", "individualAnimals", "observationLevel")


def standard_path(path: str) -> str:
    """A path of ours as the standard takes it: what it allows in none (a dot or tilde in front, two dots, blanks at the ends)
    stands as in a web address."""
    written = path.replace("%", "%25").replace("..", ".%2E").replace("://", "%3A//")
    return re.sub(r"^[.~\s]|\s$", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), written)


def own_path(written: str) -> str:
    """The path that standard_path() was given."""
    return unquote(written)
