"""People: created once, with their answer about training."""

from sqlalchemy.orm import Session

from db import people
from db.preferences import Preferences


def test_a_person_is_created_once(session: Session):
    assert people.find(session, "telegram:7") is None
    person = people.find_or_create(session, "telegram:7")
    assert people.find_or_create(session, "telegram:7") == person
    assert people.find(session, "telegram:7") == person


def test_nobody_has_agreed_to_training_before_they_were_asked(session: Session):
    person = people.find_or_create(session, "telegram:7")
    assert (person.training_consent, person.consent_at) == (None, None)


def test_the_last_answer_about_training_counts(session: Session):
    people.set_consent(session, "telegram:7", True)
    person = people.set_consent(session, "telegram:7", False)
    assert person.training_consent is False
    assert person.consent_at is not None


def test_setting_one_preference_leaves_the_others(session: Session):
    people.set_preferences(session, "web:1", {"language": "de", "length": "short"})
    people.set_preferences(session, "web:1", {"length": "long"})
    session.flush()
    session.expire_all()
    assert people.find_or_create(session, "web:1").preferences == Preferences(language="de", length="long")
