-- The world as rows. Filled from Python, read by the statements that follow, dropped at the end.

CREATE TABLE demo_world
(
    seed UInt64,
    from_ns Int64,
    to_ns Int64,
    slots Array(Tuple(name String, choices Array(String))),
    apologies Array(String),
    exceptions Array(String),
    praise Array(String),
    blame Array(String),
    silent_share Float64,
    late_share Float64,
    late_s Array(Float64),
    apology_share Float64,
    leave_share Float64,
    abandon_share Float64,
    abandon_s Float64,
    feedback_share Float64,
    agent_joins_s Array(Float64),
    typing_sigma Float64,
    retry_after_ms UInt32,
    scope String,
    call_scope String
)
ENGINE = Memory;

CREATE TABLE demo_minutes (at_ns Int64, weight Float64) ENGINE = Memory;

CREATE TABLE demo_bots
(
    bot LowCardinality(String),
    per_minute Float64,
    places Array(Tuple(host String, instance String, resource String)),
    channels Array(Tuple(name String, below Float64, users Array(String)))
)
ENGINE = Memory;

-- One process from its start to its end; an outage parts two of them.
CREATE TABLE demo_lives
(
    bot LowCardinality(String),
    host LowCardinality(String),
    instance String,
    resource String,
    queue String,
    cpu Float64,
    memory_mib Float64,
    connections UInt32,
    start_ns Int64,
    from_ns Int64,
    to_ns Int64
)
ENGINE = Memory;

CREATE TABLE demo_scripts
(
    bot LowCardinality(String),
    script LowCardinality(String),
    low Float64,
    high Float64,
    steps UInt8,
    outcome String,
    score Float64
)
ENGINE = Memory;

-- The spans of a step in the order they begin. `size` counts a span and all inside it; `faults` are
-- a timeout, an error and a 429, in this order.
CREATE TABLE demo_steps
(
    bot LowCardinality(String),
    script LowCardinality(String),
    k UInt8,
    part LowCardinality(String),
    say String,
    later String,
    reply String,
    pause_s Float64,
    spans Array(Tuple(
        role String, name String, kind String, channel String, action String, dependency String, model String, provider String,
        parent UInt8, size UInt8, median_ms Float64, sigma Float64, timeout_ms Float64, slow_ms Float64,
        timeouts Float64, errors Float64, limited Float64, tokens_in UInt32, tokens_out UInt32, log String,
        attributes Map(String, String),
        faults Array(Tuple(attributes Map(String, String), message String, stack String))))
)
ENGINE = Memory;

CREATE TABLE demo_stories
(
    what LowCardinality(String),
    bot String,
    subject String,
    from_ns Int64,
    to_ns Int64,
    factor Float64
)
ENGINE = Memory;
