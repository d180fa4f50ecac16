"""What Waterhole remembers: the tables and the rules on their rows. No HTTP, no torch.

Importing this package names every table, so that migrations and `Base.metadata` see them all.
"""

from models.act import Act
from models.api_token import ApiToken
from models.audit import AuditEntry
from models.base import Base
from models.batch import Batch, BatchFile
from models.box import Box
from models.box_edit import BoxEdit
from models.checkpoint import Checkpoint
from models.clock import ClockCorrection
from models.clock_finding import ClockFinding
from models.deletion import DeletedPhoto, Deletion
from models.deployment import Deployment, ProblemPeriod
from models.empty import EmptyCheck, EmptyDraw, EmptySample
from models.estimate import Estimate
from models.event import Event, EventCount, EventMark, EventsMade
from models.fine_tune import FineTune
from models.folders import FolderPattern
from models.image import CountCorrection, Image
from models.imported import Import, ImportedName, ImportRow
from models.job import Job, JobShard, WorkerBeat
from models.label import Label
from models.lease import Lease
from models.likeness import Likeness
from models.membership import Membership
from models.note import Note
from models.parts import VectorPart
from models.privacy import Opening
from models.project import Project
from models.round import Pick, Round
from models.sequence import Sequence
from models.session import OneTimeLink, UserSession
from models.site import Site
from models.species import CommonName, Species, Synonym, TaxonId
from models.static import StaticGroup, StaticHit
from models.user import User

__all__ = [
    "Act",
    "ApiToken",
    "AuditEntry",
    "Base",
    "Batch",
    "BatchFile",
    "Box",
    "BoxEdit",
    "Checkpoint",
    "ClockCorrection",
    "ClockFinding",
    "CommonName",
    "CountCorrection",
    "DeletedPhoto",
    "Deletion",
    "Deployment",
    "EmptyCheck",
    "EmptyDraw",
    "EmptySample",
    "Estimate",
    "Event",
    "EventCount",
    "EventMark",
    "EventsMade",
    "FineTune",
    "FolderPattern",
    "Image",
    "Import",
    "ImportRow",
    "ImportedName",
    "Job",
    "JobShard",
    "Label",
    "Lease",
    "Likeness",
    "Membership",
    "Note",
    "OneTimeLink",
    "Opening",
    "Pick",
    "ProblemPeriod",
    "Project",
    "Round",
    "Sequence",
    "Site",
    "Species",
    "StaticGroup",
    "StaticHit",
    "Synonym",
    "TaxonId",
    "User",
    "UserSession",
    "VectorPart",
    "WorkerBeat",
]
