"""The settings page, as every form on it shows it again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, get_house
from app.forms import Refusal
from app.pages import page
from app.projects import embedding_queries, history, members_queries, presets, settings_queries
from app.projects.evidence import EVIDENCE, Evidence
from models.checkpoint import Checkpoint
from models.consensus import RULES
from models.membership import Role
from models.privacy import detector_words
from models.project import OPENERS
from models.words import mark, say_many, translated

STRATEGIES = {
    mark("Crops unlike those already named"): {
        "k_center": mark("k-center: the crops least like those already named (preset paper)"),
        "typiclust": mark("TypiClust: the most typical crops of kinds that nobody has named yet"),
        "probcover": mark("ProbCover: crops that have many lookalikes nobody has named"),
        "discriminative": mark("Discriminative: crops that are easiest to tell from the named ones"),
    },
    mark("Crops that are hard to name"): {
        "confidence": mark("Confidence: where the first guess is weakest"),
        "margin": mark("Margin: where the first two guesses are closest"),
        "entropy": mark("Entropy: where the guesses are spread widest"),
        "deepfool": mark("DeepFool: where the smallest change would alter the guess"),
        "ensemble": mark("Ensemble: where five classifiers together are least sure"),
        "bald": mark("BALD: where classifiers disagree, each sure of itself"),
        "batch_bald": mark("BatchBALD: the same, and no two crops alike"),
        "learning_loss": mark("Learning loss: where the classifier is expected to be most wrong"),
    },
    mark("Hard to name, and unlike each other"): {
        "badge": mark("BADGE: crops that would change the classifier most, each in another way"),
        "dmbal": mark("DMBAL: the centres of groups of doubtful crops"),
        "margin_spread": mark("Margin, spread: close calls that are unlike each other (default)"),
        "margin_cluster_mean": mark("Margin cluster mean: one crop of each group of close calls"),
        "informative_diverse": mark(
            "Informative and diverse: doubtful crops, as many of each group as the project has"
        ),
        "exploration_p": mark("Exploration-P: doubtful crops, less those like one picked already"),
        "waal": mark("WAAL: doubtful crops unlike the named ones"),
        "event_aware_margin": mark("Event-aware margin: close calls, at most one a burst, cameras in turn"),
    },
    mark("By chance"): {"random": mark("Random: every crop is as likely as any other")},
}
LOSSES = {
    "triplet": mark("Triplets: crops of one species near each other, others apart (default, preset paper)"),
    "softmax": mark("Softmax: the species themselves; forgets less of those without answers yet"),
}
ROLES = {
    Role.admin.value: mark("Administrator"),
    Role.expert.value: mark("Expert"),
    Role.annotator.value: mark("Annotator"),
    Role.viewer.value: mark("Viewer"),
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
        roles=said(ROLES),
        key=uuid.uuid4().hex,
        detector=detector,
        presets=presets.presets(detector),
        price=settings_queries.price(session, project) if price else None,
        strategies={translated(group): said(names) for group, names in STRATEGIES.items()},
        evidence=measured(),
        rules={name: translated(rule.words) for name, rule in RULES.items()},
        settling=settling_words(settings_queries.settling(session, project.id)),
        losses=said(LOSSES),
        openers=said(OPENERS),
        people_words=detector_words(project, detector),
        tuning=embedding_queries.tuning(session, get_house(request).store, project),
        networks=settings_queries.networks(session, project),
        history=history.lines(shown),
        older=shown[-1].id if len(entries) > len(shown) else None,
        threshold=history.shown,
    )


def settling_words(crops: int) -> str:
    """2,000 crops are being settled by the new rule; empty for none."""
    if not crops:
        return ""
    return say_many(
        "%(num)s crop is being settled by the new rule.", "%(num)s crops are being settled by the new rule.", crops
    )


def said(words: Mapping[str, str]) -> dict[str, str]:
    """A table of English words in the reader's language."""
    return {name: translated(each) for name, each in words.items()}


def measured() -> list[tuple[str, Evidence]]:
    """The strategies by the names that the form has for them, those that gained most first."""
    names = {name: words.partition(":")[0] for group in STRATEGIES.values() for name, words in group.items()}
    ordered = sorted(EVIDENCE.items(), key=lambda pair: -pair[1].above)
    return [(names[name], found) for name, found in ordered]
