"""Adds the search index of captions, which triggers keep up to date: FTS5 on SQLite, a tsvector on PostgreSQL.

The entry of a caption holds its sentence and what its owner wrote instead. A later migration that copies `captions` or
`corrections` (`batch_alter_table` on SQLite) loses their triggers and must create them again.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

SQLITE = (
    # The owner is a word of its own, so that a search reads the entries of one person, however many others there are.
    """CREATE VIRTUAL TABLE caption_search USING fts5(
        person, words, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3')""",
    # Deleted words stay in FTS5's segments until these are merged. One row: whether that is due.
    "CREATE TABLE caption_search_state (stale BOOLEAN NOT NULL)",
    "INSERT INTO caption_search_state VALUES (0)",
    """INSERT INTO caption_search (rowid, person, words)
        SELECT captions.id, 'p' || captions.person_id, captions.text || ' ' || coalesce(corrections.text, '')
        FROM captions LEFT JOIN corrections
        ON corrections.caption_id = captions.id AND corrections.person_id = captions.person_id
        WHERE captions.text IS NOT NULL""",
    """CREATE TRIGGER caption_search_insert AFTER INSERT ON captions WHEN NEW.text IS NOT NULL BEGIN
        INSERT INTO caption_search (rowid, person, words) VALUES (NEW.id, 'p' || NEW.person_id, NEW.text);
    END""",
    """CREATE TRIGGER caption_search_update AFTER UPDATE OF text, person_id ON captions
        WHEN NEW.text IS NOT OLD.text OR NEW.person_id <> OLD.person_id BEGIN
        UPDATE caption_search_state SET stale = 1 WHERE OLD.text IS NOT NULL AND NOT stale;
        DELETE FROM caption_search WHERE rowid = OLD.id AND OLD.text IS NOT NULL;
        INSERT INTO caption_search (rowid, person, words)
            SELECT NEW.id, 'p' || NEW.person_id, NEW.text || ' ' || coalesce(
                (SELECT text FROM corrections WHERE caption_id = NEW.id AND person_id = NEW.person_id), '')
            WHERE NEW.text IS NOT NULL;
    END""",
    """CREATE TRIGGER caption_search_delete AFTER DELETE ON captions WHEN OLD.text IS NOT NULL BEGIN
        UPDATE caption_search_state SET stale = 1 WHERE NOT stale;
        DELETE FROM caption_search WHERE rowid = OLD.id;
    END""",
    *(
        f"""CREATE TRIGGER caption_search_{event} AFTER {when} ON corrections
            WHEN EXISTS (SELECT 1 FROM captions WHERE id = NEW.caption_id AND person_id = NEW.person_id) BEGIN
            UPDATE caption_search_state SET stale = 1 WHERE NOT stale;
            DELETE FROM caption_search WHERE rowid = NEW.caption_id;
            INSERT INTO caption_search (rowid, person, words)
                SELECT id, 'p' || person_id, text || ' ' || NEW.text
                FROM captions WHERE id = NEW.caption_id AND text IS NOT NULL;
        END"""
        for event, when in (("correct", "INSERT"), ("correct_again", "UPDATE OF text"))
    ),
)

POSTGRESQL = (
    """CREATE TABLE caption_search (
        caption_id integer CONSTRAINT pk_caption_search PRIMARY KEY
            CONSTRAINT fk_caption_search_caption_id_captions REFERENCES captions (id) ON DELETE CASCADE,
        person_id integer NOT NULL,
        words tsvector NOT NULL)""",
    # Words as they are, in small letters and without accents: people write in any language, so nothing is stemmed.
    # A word of a tsvector has at most 2,046 bytes, which 500 characters cannot exceed.
    r"""CREATE FUNCTION caption_search_words(sentence text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            IF getdatabaseencoding() = 'UTF8' THEN
                sentence := regexp_replace(normalize(sentence, NFKD), '[\u0300-\u036f]', '', 'g');
            END IF;
            RETURN array_to_tsvector(
                array_remove(regexp_split_to_array(left(lower(sentence), 500), '[^[:alnum:]]+'), ''));
        END $$""",
    """CREATE FUNCTION caption_search_refresh(changed integer) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO caption_search (caption_id, person_id, words)
            SELECT captions.id, captions.person_id,
                caption_search_words(captions.text) || caption_search_words(coalesce(corrections.text, ''))
            FROM captions LEFT JOIN corrections
            ON corrections.caption_id = captions.id AND corrections.person_id = captions.person_id
            WHERE captions.id = changed AND captions.text IS NOT NULL
        ON CONFLICT (caption_id) DO UPDATE SET person_id = EXCLUDED.person_id, words = EXCLUDED.words;
    END $$""",
    """CREATE FUNCTION caption_search_caption() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM caption_search_refresh(NEW.id); RETURN NULL; END $$""",
    """CREATE FUNCTION caption_search_correction() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM caption_search_refresh(NEW.caption_id); RETURN NULL; END $$""",
    "CREATE INDEX ix_caption_search_person_id ON caption_search (person_id, caption_id)",
    "CREATE INDEX ix_caption_search_words ON caption_search USING gin (words)",
    """CREATE TRIGGER caption_search_insert AFTER INSERT ON captions
        FOR EACH ROW WHEN (NEW.text IS NOT NULL) EXECUTE FUNCTION caption_search_caption()""",
    """CREATE TRIGGER caption_search_update AFTER UPDATE OF text, person_id ON captions FOR EACH ROW
        WHEN (NEW.text IS DISTINCT FROM OLD.text OR NEW.person_id <> OLD.person_id)
        EXECUTE FUNCTION caption_search_caption()""",
    """CREATE TRIGGER caption_search_correct AFTER INSERT OR UPDATE OF text ON corrections
        FOR EACH ROW EXECUTE FUNCTION caption_search_correction()""",
    # After the triggers: what another process writes meanwhile waits for the end of this transaction.
    """INSERT INTO caption_search
        SELECT captions.id, captions.person_id,
            caption_search_words(captions.text) || caption_search_words(coalesce(corrections.text, ''))
        FROM captions LEFT JOIN corrections
        ON corrections.caption_id = captions.id AND corrections.person_id = captions.person_id
        WHERE captions.text IS NOT NULL""",
)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)  # op.execute takes :words for parameters
