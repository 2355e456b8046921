-- Version 1. See docs/formats/store.md for what each column means.

CREATE TABLE exchanges (
    time           TIMESTAMP NOT NULL,
    key            UBIGINT   NOT NULL,
    stored_day     DATE      NOT NULL,
    session_no     BIGINT    NOT NULL,
    identity_no    BIGINT    NOT NULL,
    context_no     BIGINT    NOT NULL,
    endpoint_no    BIGINT    NOT NULL,
    agent_no       BIGINT    NOT NULL,
    id             VARCHAR   NOT NULL,
    duration       BIGINT    NOT NULL,
    path           VARCHAR   NOT NULL,
    status         INTEGER   NOT NULL,
    request_bytes  BIGINT    NOT NULL,
    response_bytes BIGINT    NOT NULL,
    ip_high        UBIGINT   NOT NULL,
    ip_low         UBIGINT   NOT NULL,
    trace_id       VARCHAR   NOT NULL
);

CREATE TABLE endpoints (
    endpoint_no  BIGINT  NOT NULL,
    stored_day   DATE    NOT NULL,
    environment  VARCHAR NOT NULL,
    service      VARCHAR NOT NULL,
    method       VARCHAR NOT NULL,
    scheme       VARCHAR NOT NULL,
    host         VARCHAR NOT NULL,
    endpoint     VARCHAR NOT NULL,
    http_version VARCHAR NOT NULL
);

CREATE TABLE agents (
    agent_no   BIGINT  NOT NULL,
    stored_day DATE    NOT NULL,
    user_agent VARCHAR NOT NULL,
    ja4        VARCHAR NOT NULL,
    origin     VARCHAR NOT NULL
);

CREATE TABLE identities (
    identity_no   BIGINT   NOT NULL,
    stored_day    DATE     NOT NULL,
    position      SMALLINT NOT NULL,
    grouping      BOOLEAN  NOT NULL,
    digest        UUID,
    masked        VARCHAR  NOT NULL,
    rule          UUID,
    rule_index    INTEGER  NOT NULL,
    name          VARCHAR  NOT NULL,
    origin        SMALLINT NOT NULL,
    kind          SMALLINT NOT NULL,
    side          SMALLINT NOT NULL,
    location      SMALLINT NOT NULL,
    key           VARCHAR  NOT NULL,
    deleted       BOOLEAN  NOT NULL,
    expires_at    TIMESTAMP,
    lifetime      BIGINT   NOT NULL,
    is_token      BOOLEAN  NOT NULL,
    issuer        VARCHAR  NOT NULL,
    subject       VARCHAR  NOT NULL,
    token_session UUID,
    issued_at     TIMESTAMP,
    lapses_at     TIMESTAMP,
    device        UUID
);

CREATE TABLE contexts (
    context_no BIGINT   NOT NULL,
    stored_day DATE     NOT NULL,
    position   SMALLINT NOT NULL,
    kind       SMALLINT NOT NULL,
    name       VARCHAR  NOT NULL,
    type       VARCHAR  NOT NULL,
    side       SMALLINT NOT NULL,
    value      VARCHAR  NOT NULL,
    weak       BOOLEAN  NOT NULL
);

CREATE TABLE sessions (
    session_no    BIGINT    NOT NULL,
    session_id    UUID      NOT NULL,
    stored_day    DATE      NOT NULL,
    first_seen    TIMESTAMP,
    last_seen     TIMESTAMP,
    exchanges     BIGINT    NOT NULL,
    errors        BIGINT    NOT NULL,
    environment   VARCHAR,
    version       UBIGINT   NOT NULL,
    previous_id   UUID,
    "user"        VARCHAR   NOT NULL,
    roles         VARCHAR   NOT NULL,
    ended_at      TIMESTAMP,
    ended_by      VARCHAR   NOT NULL,
    expires_at    TIMESTAMP,
    idle_timeout  BIGINT    NOT NULL,
    identified_by VARCHAR   NOT NULL,
    origin        SMALLINT  NOT NULL,
    confidence    DOUBLE    NOT NULL
);

CREATE TABLE session_values (
    session_no BIGINT   NOT NULL,
    kind       SMALLINT NOT NULL,
    value      VARCHAR  NOT NULL,
    exchanges  BIGINT   NOT NULL
);

CREATE TABLE merges (
    session_id  UUID    NOT NULL,
    version     UBIGINT NOT NULL,
    merged_into UUID    NOT NULL
);

CREATE TABLE links (
    session_no BIGINT    NOT NULL,
    time       TIMESTAMP NOT NULL,
    from_id    UUID,
    to_id      UUID,
    masked     VARCHAR   NOT NULL,
    kind       SMALLINT  NOT NULL,
    name       VARCHAR   NOT NULL,
    evidence   VARCHAR   NOT NULL,
    score      DOUBLE    NOT NULL,
    exchange   UBIGINT   NOT NULL,
    expires_at TIMESTAMP
);

CREATE TABLE state (
    key        UUID   NOT NULL,
    batch_no   BIGINT NOT NULL,
    stored_day DATE   NOT NULL,
    value      BLOB
);

CREATE TABLE positions (
    source   VARCHAR NOT NULL,
    batch_no BIGINT  NOT NULL,
    position BLOB
);
