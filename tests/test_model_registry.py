"""The model registry: which version serves whom."""

import pytest
from sqlalchemy.orm import Session

from db import model_registry as registry
from db.model_registry import NothingToRollBack, NotPassed, ServedModel, Serving, UnknownModel
from tests.support.factories import make_model


def stable(session: Session) -> str | None:
    model = registry.serving(session).stable
    return model and model.version


def kinds(session: Session) -> list[str]:
    return [event.kind for event in registry.events(session)]


def test_without_a_row_the_bundled_model_serves(session: Session):
    assert registry.serving(session) == Serving(stable=None, canary=None, percent=0)


def test_a_promoted_model_serves_everybody(session: Session):
    registry.register(session, "v1", "s3://models/v1", {"cider": 0.6}, passed=True)
    registry.promote(session, "v1", "telegram:1")
    assert registry.serving(session) == Serving(stable=ServedModel("v1", "s3://models/v1"))
    assert kinds(session) == ["promoted", "registered"]
    assert registry.events(session)[0].by == "telegram:1"


def test_a_canary_serves_beside_the_stable_model(session: Session):
    make_model(session, "v1")
    make_model(session, "v2")
    registry.promote(session, "v1", "me")
    registry.promote(session, "v2", "me", canary_percent=10)
    serving = registry.serving(session)
    assert serving.stable is not None
    assert serving.canary is not None
    assert (serving.stable.version, serving.canary.version, serving.percent) == ("v1", "v2", 10)


def test_a_first_canary_serves_beside_the_bundled_model(session: Session):
    make_model(session, "v1")
    registry.promote(session, "v1", "me", canary_percent=5)
    assert registry.serving(session) == Serving(canary=ServedModel("v1", "models/v1"), percent=5)


def test_promoting_the_canary_ends_it(session: Session):
    make_model(session, "v1")
    registry.promote(session, "v1", "me", canary_percent=5)
    registry.promote(session, "v1", "me")
    assert registry.serving(session) == Serving(stable=ServedModel("v1", "models/v1"))


def test_what_the_judge_has_not_passed_is_refused(session: Session):
    make_model(session, "v1", passed=False)
    with pytest.raises(NotPassed):
        registry.promote(session, "v1", "me")
    assert stable(session) is None


def test_an_unknown_model_is_refused(session: Session):
    with pytest.raises(UnknownModel):
        registry.promote(session, "v9", "me")


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_wrong_percentage_is_refused(session: Session, percent: int):
    make_model(session, "v1")
    with pytest.raises(ValueError, match="percentage"):
        registry.promote(session, "v1", "me", canary_percent=percent)


def test_registering_again_updates_what_is_known(session: Session):
    registry.register(session, "v1", "a", {}, passed=False)
    registry.register(session, "v1", "b", {"cider": 1.0}, passed=True)
    session.expire_all()
    (model,) = registry.models(session)
    assert (model.folder, model.passed, model.metrics) == ("b", True, {"cider": 1.0})


def test_a_refusal_is_noted_with_its_reasons(session: Session):
    registry.refuse(session, "v1", "captionbot", ["CIDEr fell by 0.1"])
    (event,) = registry.events(session)
    assert (event.kind, event.version, event.details) == ("refused", "v1", {"reasons": ["CIDEr fell by 0.1"]})


def test_rolling_back_goes_one_promotion_back_each_time_down_to_the_bundled_model(session: Session):
    for version in ("v1", "v2", "v3"):
        make_model(session, version)
        registry.promote(session, version, "me")
    assert [registry.rollback(session, "me") for _ in range(3)] == ["v2", "v1", None]
    assert stable(session) is None
    with pytest.raises(NothingToRollBack):
        registry.rollback(session, "me")


def test_rolling_back_takes_a_canary_away_first(session: Session):
    for version in ("v1", "v2"):
        make_model(session, version)
    registry.promote(session, "v1", "me")
    registry.promote(session, "v2", "me", canary_percent=50)
    assert registry.rollback(session, "me") == "v1"
    assert registry.serving(session).canary is None
    assert registry.rollback(session, "me") is None


def test_promoting_what_serves_already_does_not_lose_the_way_back(session: Session):
    for version in ("v1", "v2"):
        make_model(session, version)
        registry.promote(session, version, "me")
    registry.promote(session, "v2", "me")
    assert registry.rollback(session, "me") == "v1"


def test_a_canary_gets_about_its_percentage_of_chats_always_the_same_ones():
    keys = [f"telegram:{number}" for number in range(5000)]
    tenth = {key for key in keys if registry.uses_canary(key, 10)}
    assert 400 < len(tenth) < 600
    assert tenth <= {key for key in keys if registry.uses_canary(key, 20)}
    assert not any(registry.uses_canary(key, 0) for key in keys)
    assert all(registry.uses_canary(key, 100) for key in keys)
