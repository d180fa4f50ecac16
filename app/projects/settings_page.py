"""The settings page, as every form on it shows it again."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, get_house
from app.forms import Refusal
from app.pages import count_of, page
from app.projects import embedding_queries, history, members_queries, presets, settings_queries
from app.projects.evidence import EVIDENCE, Evidence
from models.checkpoint import Checkpoint
from models.consensus import RULES
from models.membership import Role
from models.privacy import detector_words
from models.project import OPENERS

STRATEGIES = {
    "Crops unlike those already named": {
        "k_center": "k-center: the crops least like those already named (preset paper)",
        "typiclust": "TypiClust: the most typical crops of kinds that nobody has named yet",
        "probcover": "ProbCover: crops that have many lookalikes nobody has named",
        "discriminative": "Discriminative: crops that are easiest to tell from the named ones",
    },
    "Crops that are hard to name": {
        "confidence": "Confidence: where the first guess is weakest",
        "margin": "Margin: where the first two guesses are closest",
        "entropy": "Entropy: where the guesses are spread widest",
        "deepfool": "DeepFool: where the smallest change would alter the guess",
        "ensemble": "Ensemble: where five classifiers together are least sure",
        "bald": "BALD: where classifiers disagree, each sure of itself",
        "batch_bald": "BatchBALD: the same, and no two crops alike",
        "learning_loss": "Learning loss: where the classifier is expected to be most wrong",
    },
    "Hard to name, and unlike each other": {
        "badge": "BADGE: crops that would change the classifier most, each in another way",
        "dmbal": "DMBAL: the centres of groups of doubtful crops",
        "margin_spread": "Margin, spread: close calls that are unlike each other (default)",
        "margin_cluster_mean": "Margin cluster mean: one crop of each group of close calls",
        "informative_diverse": "Informative and diverse: doubtful crops, as many of each group as the project has",
        "exploration_p": "Exploration-P: doubtful crops, less those like one picked already",
        "waal": "WAAL: doubtful crops unlike the named ones",
        "event_aware_margin": "Event-aware margin: close calls, at most one a burst, cameras in turn",
    },
    "By chance": {"random": "Random: every crop is as likely as any other"},
}
LOSSES = {
    "triplet": "Triplets: crops of one species near each other, others apart (default, preset paper)",
    "softmax": "Softmax: the species themselves; forgets less of those without answers yet",
}
ROLES = {
    Role.admin.value: "Administrator",
    Role.expert.value: "Expert",
    Role.annotator.value: "Annotator",
    Role.viewer.value: "Viewer",
}


def settings_page(
    request: Request,
    access: Access,
    refused: Refusal | None = None,
    *,
    saved: str = "",
    price: bool = False,
    before: int | None = None,
) -> Response:
    """Everything below one h1. A viewer sees the same, without the buttons."""
    session, project = access.session, access.project
    detector = session.get(Checkpoint, project.detector_id) if project.detector_id else None
    entries = settings_queries.history(session, project.id, before, openings=access.may(Role.admin))
    shown = entries[: settings_queries.SHOWN_HISTORY]
    return page(
        request,
        "settings/settings.html",
        status_code=refused.status if refused else 200,
        project=project,
        tab="Settings",
        may=access.may("admin"),
        refused=refused,
        saved=saved,
        members=members_queries.members(session, project.id),
        roles=ROLES,
        key=uuid.uuid4().hex,
        detector=detector,
        presets=presets.presets(detector),
        price=settings_queries.price(session, project) if price else None,
        strategies=STRATEGIES,
        evidence=measured(),
        rules={name: rule.words for name, rule in RULES.items()},
        settling=settling_words(settings_queries.settling(session, project.id)),
        losses=LOSSES,
        openers=OPENERS,
        people_words=detector_words(project, detector),
        tuning=embedding_queries.tuning(session, get_house(request).store, project),
        networks=settings_queries.networks(session, project),
        history=history.lines(shown),
        older=shown[-1].id if len(entries) > len(shown) else None,
        threshold=history.shown,
    )


def settling_words(crops: int) -> str:
    """2,000 crops are being settled by the new rule; empty for none."""
    return f"{count_of(crops, 'crop')} {'is' if crops == 1 else 'are'} being settled by the new rule." if crops else ""


def measured() -> list[tuple[str, Evidence]]:
    """The strategies by the names that the form has for them, those that gained most first."""
    names = {name: words.partition(":")[0] for group in STRATEGIES.values() for name, words in group.items()}
    ordered = sorted(EVIDENCE.items(), key=lambda pair: -pair[1].above)
    return [(names[name], found) for name, found in ordered]
