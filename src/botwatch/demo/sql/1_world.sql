-- The world as rows. Filled from Python, read by the statements that follow, dropped at the end.

CREATE TABLE demo_world
(
    seed UInt64,
    from_ns Int64,
    to_ns Int64,
    deadline_s UInt32,
    idle_s UInt32,
    slots Array(Tuple(name String, choices Array(String))),
    apologies Array(String),
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
    agent_types_s Array(Float64),
    typing_sigma Float64,
    retry_after_ms UInt32,
    scope String,
    call_scope String,
    ticket_source String
)
ENGINE = Memory;

CREATE TABLE demo_minutes (at_ns Int64, weight Float64) ENGINE = Memory;

CREATE TABLE demo_bots
(
    bot LowCardinality(String),
    per_minute Float64,
    places Array(Tuple(host String, instance String, resource String, before String)),
    deployed_ns Int64,
    channels Array(Tuple(name String, below Float64, users UInt32))
)
ENGINE = Memory;

CREATE TABLE demo_users (bot LowCardinality(String), channel String, number UInt32, user_id String) ENGINE = Memory;

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

-- One turn of a script. The arrays have an entry for each of its spans, in the order they begin;
-- `sizes` counts a span and all inside it.
CREATE TABLE demo_steps
(
    bot LowCardinality(String),
    script LowCardinality(String),
    step UInt32,
    k UInt8,
    part LowCardinality(String),
    say String,
    later String,
    reply String,
    pause_s Float64,
    sizes Array(UInt8),
    dependencies Array(String),
    median_ms Array(Float64),
    sigma Array(Float64),
    timeout_ms Array(Float64),
    timeouts Array(Float64),
    errors Array(Float64),
    limited Array(Float64)
)
ENGINE = Memory;

-- What those spans are called.
CREATE TABLE demo_spans
(
    step UInt32,
    i UInt8,
    role LowCardinality(String),
    name LowCardinality(String),
    kind LowCardinality(String),
    channel LowCardinality(String),
    action LowCardinality(String),
    dependency LowCardinality(String),
    model LowCardinality(String),
    provider LowCardinality(String),
    parent UInt8,
    size UInt8,
    slow_ms Float64,
    tokens_in UInt32,
    tokens_out UInt32,
    log LowCardinality(String),
    attributes Map(LowCardinality(String), String)
)
ENGINE = Memory;

-- What is left when span `i` fails: 1 a timeout, 2 an error, 3 a 429.
CREATE TABLE demo_faults
(
    step UInt32,
    i UInt8,
    failure UInt8,
    dependency String,
    exception String,
    message String,
    stack String,
    attributes Map(LowCardinality(String), String)
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

CREATE TABLE demo_machines
(
    host String,
    metric String,
    at_ns Int64,
    value Float64,
    unit String,
    label_names Array(String),
    label_values Array(String)
)
ENGINE = Memory;
