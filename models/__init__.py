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
from models.deployment import Deployment, ProblemPeriod
from models.estimate import Estimate
from models.event import Event
from models.fine_tune import FineTune
from models.image import CountCorrection, Image
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
    "CommonName",
    "CountCorrection",
    "Deployment",
    "Estimate",
    "Event",
    "FineTune",
    "Image",
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
    "Synonym",
    "TaxonId",
    "User",
    "UserSession",
    "VectorPart",
    "WorkerBeat",
]
