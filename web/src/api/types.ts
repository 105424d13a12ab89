// Written by web/generate_types.py from the API; a test holds it to that.

export interface Acknowledgement {
  /** what you are going to do about it */
  note?: string;
}

export interface ActionItem {
  bot: string;
  name: string;
  count: number;
  errors: number;
  /** percent */
  success_rate: number | null;
  latency_ms: Latency;
  last_seen: string | null;
}

export type Aggregation = "avg" | "sum" | "min" | "max" | "last" | "count";

export interface Alive {
  alive: boolean;
}

export interface AnswerShape {
  from: string;
  to: string;
  /** null: one value of the whole window for each series */
  step_seconds: number | null;
  unit: string;
  help: string;
  /** which side is bad */
  worse: BotwatchMeasureModelDirection;
  bounds: ThresholdsShape | null;
  /** the greatest first; in a table of what is bad when it is low, the least */
  series: SeriesShape[];
  /** series beyond those */
  left_out: number;
  /** what the values leave out, in words */
  notes: string[];
  /** why there are no values; empty: there is none */
  problem: string;
}

export interface AttemptShape {
  at: string;
  latency_ms: number;
  taken: boolean;
  answer: string;
}

export interface AuditShape {
  id: number;
  at: string;
  who: string;
  what: string;
  subject: string;
  detail: Record<string, unknown>;
}

export type Author = "user" | "bot" | "agent";

export interface BacktestShape {
  from: string;
  to: string;
  /** that were judged */
  subjects: number;
  incidents: number;
  incidents_a_day: number;
  /** of all incidents together */
  open_seconds: number;
  notes: string[];
  /** the first 1000 of them */
  items: WouldShape[];
}

export interface Baseline {
  measure: string;
  unit: string;
  from: string;
  to: string;
  /** longer than asked where only longer ones are still kept */
  step_seconds: number;
  sensitivity: string;
  /** subjects of which less came, that are not shown */
  left_out: number;
  /** seconds since 1970 at which each step begins, as in `/api/monitoring/history` */
  at: number[];
  series: BaselineSeries[];
}

export interface BaselineSeries {
  labels: Record<string, string>;
  learning: Learning;
  value: (number | null)[];
  /** less would be surprising */
  low: (number | null)[];
  usual: (number | null)[];
  /** more would be surprising */
  high: (number | null)[];
}

export interface BotItem {
  name: string;
  first_seen: string;
  last_seen: string;
  hosts: string[];
  channels: string[];
}

export type BotwatchApiShapesInsightsReason = "failed" | "unanswered" | "handed_off" | "repeated" | "fallback" | "feedback";

export interface BotwatchApiShapesMonitoringStatus {
  sessions: SessionFigures;
  messages: MessageFigures;
  resources: ResourceFigures;
  services: Record<string, string>;
}

export type BotwatchDetectFindingReason = "breached" | "no_events" | "silent_bot" | "silent_host" | "silent" | "no_data" | "combined" | "too_many" | "recovered" | "gone" | "rule_removed" | "rule_disabled" | "rule_changed";

export type BotwatchDetectRuleKind = "threshold" | "ratio" | "absence" | "composite" | "contract" | "baseline";

export type BotwatchIncidentCausesChangeKind = "deploy" | "model" | "dependency" | "limit" | "breaker" | "service" | "document" | "incident" | "rule";

export type BotwatchIncidentStepsStatus = "open" | "acknowledged" | "resolved";

export type BotwatchMeasureModelDirection = "high" | "low" | "neither";

export type BotwatchNotifyRouteReason = "rule" | "route" | "default" | "escalation" | "follows" | "digest" | "hook" | "silenced" | "dependency" | "no_channel" | "unknown_channel" | "channel_off" | "no_digest" | "anew" | "answered" | "over" | "untold";

export type BotwatchNounsDirection = "in" | "out";

export type BotwatchWatchProbesModelStatus = "running" | "degraded" | "sealed" | "stopped" | "unknown";

export interface BreachShape {
  bot: string;
  channel: string;
  session: string | null;
  /** what both have in common: the session, or an id of a job, trace or expectation */
  id: string;
  at: string;
  due: string;
  /** late; null: not at all, as far as is known */
  followed: string | null;
  about: string;
  trace: string | null;
  correlation: string | null;
  /** `name` and `url` of the pages that show it */
  links: Record<string, string>[];
}

export interface BrokerItem {
  name: string;
  system: string;
  asked: string;
  answers: boolean;
  /** why it does not answer */
  reason: string | null;
  /** beyond the bound on queues; use include or exclude */
  queues_left_out: number;
  /** false: whoever asks it has not told of it since */
  current: boolean;
}

export interface Catalogue {
  measures: MeasureShape[];
  /** those that have come, by name; as many as `limit` */
  metrics: MetricShape[];
}

export type Change = "limit" | "breaker";

export interface ChangeItem {
  kind: BotwatchIncidentCausesChangeKind;
  at: string;
  text: string;
  /** null: it is about no bot, or about several */
  bot: string | null;
  /** the page that shows more; empty: there is none */
  url: string;
}

export interface ChangeShape {
  at: string;
  what: Step;
  /** `rule` where no person did it */
  who: string;
  why: string;
  value: number | null;
}

export interface ChangedService {
  /** empty: where it was */
  url?: string;
  /** what it is; empty: known by the scheme, or by its name */
  kind?: string;
  user?: string;
  password?: string;
  /** for services that take one instead of a user */
  token?: string;
  interval_seconds?: number;
  /** unset: half the interval, from 1 to 5 */
  timeout_seconds?: number | null;
  /** so many of the last `of` answers must be bad */
  fails?: number;
  of?: number;
  /** of http; empty: 200 to 399 */
  expect_status?: number[];
  /** of http */
  expect_text?: string;
  /** of http: rules such as 'database == ok' */
  expect_json?: string[];
  /** of http: name to the path of a number in its JSON */
  figures?: Record<string, unknown>;
  /** a certificate valid for less is a fault */
  certificate_days?: number;
  /** of s3 */
  region?: string;
  /** of models: try a tiny completion with this model */
  complete?: string;
}

export interface ChannelGiven {
  /** one of /api/channels/kinds */
  kind: string;
  /** a secret that is left out stays as it is; null takes it away */
  options?: Record<string, unknown>;
  enabled?: boolean;
}

export interface ChannelShape {
  name: string;
  kind: string;
  enabled: boolean;
  /** settings or api */
  source: string;
  /** without secrets */
  options: Record<string, unknown>;
  /** the secret options that are set */
  secrets: string[];
  changed: string | null;
  changed_by: string;
  /** deliveries that were not taken yet */
  waiting: number;
  waiting_since: string | null;
  last_delivered: string | null;
  last_failed: string | null;
  /** of the last delivery that ended */
  last_answer: string;
}

export interface CommonQueries {
  /** the most frequent first */
  items: CommonQuery[];
  /** messages whose phrases were too rare, among too many, to be put together */
  left_out: number;
}

export interface CommonQuery {
  /** the most frequent of them, without case, punctuation and figures; a figure is 0 */
  phrase: string;
  count: number;
  sessions: number;
  example: string;
  /** percent of those whose outcome is known */
  answered_share: number | null;
  /** how many different ones there are */
  phrases: number;
  /** the most frequent first, at most 20 */
  variants: Variant[];
}

export interface ContractShape {
  name: string;
  /** of its rule: default, file:NAME, api; turns: settled with the turns, without a rule */
  source: string;
  enabled: boolean;
  state: ContractState;
  when: string;
  then: string[];
  /** what both have in common */
  same: string;
  /** the first that fits a bot and channel counts; the last fits all */
  terms: TermShape[];
  kept: number;
  breached: number;
  late: number;
  /** percent followed in time, of all of which it is known; null: of none */
  rate: number | null;
  /** the first in the window; null: there is none */
  counted_since: string | null;
  problems: ProblemShape[];
}

export type ContractState = "off" | "broken" | "no_data" | "few" | "kept" | "breached";

export interface ContractToCheck {
  rule: Record<string, unknown> | string;
  period?: string;
}

export interface ContractsShape {
  /** by name */
  items: ContractShape[];
  start: string;
  end: string;
}

export interface CostShape {
  /** those that are enabled */
  rules: number;
  /** questions to the store, each answered for all subjects at once */
  series: number;
  statements: number;
  /** how many those series have now; null: not known */
  subjects: number | null;
}

export interface Credentials {
  name: string;
  password: string;
}

export interface CriticalShape {
  path: string;
  variant: string;
  documents: number;
  missing: number;
  null: number;
  empty: number;
  types: Record<string, number>;
}

export interface DeadShape {
  id: number;
  kind: string;
  items: number;
  bytes: number;
  received: string;
  refused: string;
  reason: string;
}

export interface DeclarationShape {
  /** places watched in every document */
  critical?: string[];
  /** fields that tell the kinds of documents apart; none: found by themselves */
  discriminator?: string[];
  /** the place that names the conversation */
  session?: string | null;
  /** the JSON Schema documents are held against, as it is */
  schema?: Record<string, unknown> | null;
  source: string;
  changed: string;
  changed_by: string;
}

export interface DeliveryShape {
  /** the idempotency key that the receiver gets */
  id: string;
  channel: string;
  /** incident, digest, trouble, test, hook or report */
  purpose: string;
  title: string;
  /** waiting, delivered, failed, or folded: told by a later one */
  status: string;
  incidents: string[];
  severity: Severity;
  created: string;
  /** when it is tried next; null: it has ended */
  due: string | null;
  finished: string | null;
  attempts: number;
  /** of the last attempt */
  latency_ms: number | null;
  /** what the receiver said last */
  answer: string;
  folded_into: string | null;
}

export interface DependencyChange {
  at: string;
  bot: string;
  host: string;
  what: Change;
  /** of the dependency, or of the breaker */
  name: string;
  /** which of the limits of a dependency; empty: it has one, or this is a breaker */
  limit: string;
  /** a number, or closed, half_open, open */
  before: string;
  after: string;
  session_id: string | null;
  trace_id: string | null;
}

export interface DependencyItem {
  bot: string;
  name: string;
  count: number;
  errors: number;
  /** percent */
  error_rate: number | null;
  timeouts: number;
  rate_limited: number;
  latency_ms: Latency;
  last_seen: string | null;
}

export interface DeployItem {
  bot: string;
  version: string;
  environment: string | null;
  /** of the source code, where the bot tells it */
  revision: string | null;
  /** the version that was seen last before it; null: none is known */
  before: string | null;
  /** for how long both were seen */
  beside_seconds: number;
  hosts: string[];
  processes: number;
  first_seen: string;
  last_seen: string;
}

export interface Diagnosis {
  as_of: string;
  topics: TopicItem[];
  /** the ports of this server, by what they are for */
  listening: Record<string, number>;
  ingest_key_needed: boolean;
}

export type Drawn = "lines" | "bars" | "number" | "table";

export interface DriftShape {
  id: number;
  /** the first change told of those that began in the same minutes at its source */
  event: number;
  source: string;
  /** the kind of document; empty: it is about which kinds come */
  variant: string;
  path: string;
  /** appeared, vanished, rarer, more_null, more_empty, type_changed, nested, value_…, critical_… */
  what: string;
  /** the type or the value it is about, where it is about one */
  value: string;
  sentence: string;
  /** where what is gone has come instead; empty: nowhere */
  moved_to: string;
  /** the share before, 0 to 1 */
  before: number;
  now: number;
  /** out of how many documents, older ones counting less */
  before_of: number;
  now_of: number;
  /** how sure it is that this is no chance, below 1 */
  sure: number;
  began: string;
  found: string;
  last: string;
  ended: string | null;
  accepted: string | null;
  accepted_by: string | null;
  /** some of the conversations it touched */
  sessions: string[];
  traces: string[];
  bots: string[];
  /** what bots did in those conversations and traces */
  actions: string[];
  /** of each version of a bot, how many documents show it since it began, and of how many */
  versions: Record<string, [number, number]>;
  /** a document as they were, masked */
  example_before: unknown;
  example_after: unknown;
}

export interface DrillGiven {
  /** none: as the routes say for what is critical */
  channels?: string[];
}

export interface DrillShape {
  came_back: boolean;
  /** where it stopped, and why */
  problem: string;
  began: string;
  legs: LegShape[];
  channels: string[];
  incident: string | null;
}

export interface DropOff {
  stop: Stop;
  /** conversations whose last message lies in the window, and which ended or are idle */
  over: number;
  /** of these, by the bot's own definition or by what holds for any bot */
  done: number;
  /** of these, the others */
  left: number;
  /** where those stopped, the most frequent first */
  items: DropOffItem[];
}

export interface DropOffItem {
  /** the action, or the phrase of the message; null: there was none */
  step: string | null;
  /** the bot's last message in the newest of these conversations */
  said: string | null;
  sessions: number;
  /** percent of the conversations that were left */
  share: number;
  /** the newest */
  examples: SessionName[];
}

export type Empty = "null" | "zero where the bot was seen" | "zero as far as sessions have been counted" | "zero";

export interface Engagement {
  every: Every;
  /** the first message that is still kept; who came before it counts as new */
  known_since: string | null;
  items: EngagementItem[];
}

export interface EngagementItem {
  /** first day of the day, week (from Monday) or month, in the time zone of the settings */
  start: string;
  /** who wrote */
  users: number;
  /** who wrote for the first time since `known_since` */
  new: number;
  returning: number;
  /** with a message of a user, known or not */
  sessions: number;
  /** of users */
  messages: number;
}

export interface ErrorBody {
  error: ErrorDetail;
}

export interface ErrorDetail {
  /** stable, for programs */
  code: string;
  /** what was expected, and what was found */
  message: string;
  /** what to do */
  hint: string | null;
}

export interface Escalation {
  after: number;
  channels: string[];
}

export type Every = "day" | "week" | "month";

export interface EvidenceShape {
  measure: string;
  /** the measure around the moment: second, value */
  points: ([number, number | null])[];
  /** where something was silent: of the series, the bot, the host */
  last_heard: Record<string, string>;
  usual: UsualShape | null;
  /** the rules a composite one is made of */
  parts: string[];
  links: LinkShape[];
  /** what it is about, then the suspects, likeliest first */
  related: RelatedShape[];
  /** the likeliest cause in a sentence; empty: none is likely */
  cause: string;
  /** when; while it is young, it is looked for a few times */
  cause_found: string | null;
  /** when causes were looked for last */
  looked_at: string | null;
  /** false: the store did not answer in time, so less is known of what changed */
  looked: boolean;
  /** null: no rows of a bot stand behind it */
  touched: TouchedShape | null;
}

export interface ExampleShape {
  at: string;
  text: string;
  session: string | null;
  trace: string | null;
}

export interface Fault {
  id: string;
  bot: string;
  type: string;
  /** of the newest */
  message: string;
  count: number;
  first_seen: string;
  last_seen: string;
  hosts: string[];
  trace_id: string | null;
  session_id: string | null;
  stack: string;
  days: FaultDay[];
}

export interface FaultDay {
  day: string;
  count: number;
}

export interface FaultItem {
  id: string;
  bot: string;
  type: string;
  /** of the newest */
  message: string;
  count: number;
  first_seen: string;
  last_seen: string;
  hosts: string[];
  trace_id: string | null;
  session_id: string | null;
}

export interface Feedback {
  count: number;
  average: number;
}

export interface FeedbackItem {
  at: string;
  bot: string;
  session_id: string;
  channel: string;
  user: string | null;
  score: number | null;
  text: string;
  /** the message it names, else the newest of the bot before it */
  about: Uttered | null;
  /** what the user had written before that */
  question: Uttered | null;
  /** how long that had waited for its reply */
  response_ms: number | null;
  trace_id: string | null;
}

export interface FieldShape {
  name: string;
  /** for people */
  title: string;
  help: string;
  type: FieldType;
  /** kept, and never shown again */
  secret?: boolean;
  required?: boolean;
  default?: unknown;
  /** of a choice all there are; of a text some to offer */
  choices?: string[];
  suggest?: Suggest | null;
  /** seldom needed */
  more?: boolean;
  least?: number | null;
  most?: number | null;
  example?: string;
  /** of a group */
  fields?: FieldShape[];
}

export type FieldType = "text" | "number" | "percent" | "flag" | "choice" | "duration" | "time" | "moment" | "words" | "pairs" | "group" | "groups";

export interface FigureShape {
  name: string;
  value: number;
  unit: string;
  /** under which its history is asked for */
  measure: string;
}

export type FileKind = "pdf" | "csv";

export interface FindingItem {
  /** stable, for programs */
  code: string;
  /** a notice may be meant to be so */
  level: LevelOutput;
  /** the bot, host, session, channel or rule; empty: the server as a whole */
  subject: Record<string, string>;
  /** what was seen */
  found: string;
  /** what to do */
  remedy: string;
  evidence: Record<string, string | number | null>;
}

export type Flaw = "json" | "schema";

export type Format = "csv" | "json" | "parquet";

export interface FormsShape {
  channels: KindShape[];
  services: KindShape[];
  /** what is given goes into the rule together with what is asked for */
  rules: KindShape[];
  route: FieldShape[];
  silence: FieldShape[];
}

export interface Given {
  /** places watched in every document */
  critical?: string[];
  /** fields that tell the kinds of documents apart; none: found by themselves */
  discriminator?: string[];
  /** the place that names the conversation */
  session?: string | null;
  /** the JSON Schema documents are held against, as it is */
  schema?: Record<string, unknown> | null;
}

export interface Histogram {
  start: string;
  step_seconds: number;
  levels: Record<string, number[]>;
}

export interface History {
  from: string;
  to: string;
  step_seconds: number;
  /** of each measure */
  units: Record<string, string>;
  series: SeriesShape[];
}

export interface HostItem {
  name: string;
  first_seen: string;
  last_seen: string;
  /** when an agent last told of it; null: not lately */
  measured: string | null;
  bots: string[];
  resources: ResourceFigures;
  cpus: number | null;
  /** over 1, 5 and 15 minutes; empty: not known */
  load: number[];
  memory_total_bytes: number | null;
  memory_free_bytes: number | null;
  /** established TCP connections */
  connections: number | null;
  open_files: number | null;
  uptime_seconds: number | null;
  /** of the machine, and of the container the agent runs in */
  limits: HostLimit[];
  processes: HostProcess[];
  /** how many processes run of each bot the agent is to watch */
  watched: Record<string, number>;
  /** why a part has no figures */
  unknown: Record<string, string>;
}

export interface HostLimit {
  name: string;
  percent: number;
}

export interface HostProcess {
  bot: string;
  instance: string;
  /** of one core */
  cpu_percent: number | null;
  memory_bytes: number | null;
  /** until a limit, or the machine, stops it */
  memory_left_bytes: number | null;
  /** a leak; null: none is seen */
  memory_growth_bytes_per_hour: number | null;
  /** until the leak has eaten what is left */
  memory_time_left_seconds: number | null;
  threads: number | null;
  open_files: number | null;
  connections: number | null;
  uptime_seconds: number | null;
}

export interface IncidentItem {
  id: string;
  ruleName: string;
  hostName: string;
  startTime: string;
  /** null: it is not over */
  endTime: string | null;
  triggerValue: number | null;
  severity: Severity;
  status: BotwatchIncidentStepsStatus;
  reason: BotwatchDetectFindingReason;
  summary: string;
  /** the subject; empty: everything */
  labels: Record<string, string>;
  /** the first tick that was wrong, as far as it is known */
  began: string;
  peak_value: number | null;
  last_value: number | null;
  /** of its values; share: of a ratio, 0 to 1 */
  unit: string;
  acknowledged: string | null;
  acknowledged_by: string | null;
}

export interface IncidentShape {
  id: string;
  ruleName: string;
  hostName: string;
  startTime: string;
  /** null: it is not over */
  endTime: string | null;
  triggerValue: number | null;
  severity: Severity;
  status: BotwatchIncidentStepsStatus;
  reason: BotwatchDetectFindingReason;
  summary: string;
  /** the subject; empty: everything */
  labels: Record<string, string>;
  /** the first tick that was wrong, as far as it is known */
  began: string;
  peak_value: number | null;
  last_value: number | null;
  /** of its values; share: of a ratio, 0 to 1 */
  unit: string;
  acknowledged: string | null;
  acknowledged_by: string | null;
  /** as it was when the incident opened */
  rule: Record<string, unknown>;
  runbook: string;
  evidence: EvidenceShape;
  changes: ChangeShape[];
}

export interface IntakeCounts {
  received: number;
  stored: number;
  spooled: number;
  duplicate: number;
  /** by reason; a reason that never was is left out */
  rejected: Record<string, number>;
}

export interface IntakeShape {
  traces: IntakeCounts;
  logs: IntakeCounts;
  points: IntakeCounts;
  payloads: IntakeCounts;
}

export interface InvalidShape {
  at: string;
  source: string;
  fault: Flaw;
  /** where the first misfit is */
  path: string;
  /** of which kind it is, such as required, type, enum, not JSON */
  reason: string;
  /** how many equal ones came in the same moment */
  times: number;
  bot: string | null;
  session_id: string | null;
  trace_id: string | null;
  /** of one that came without a bot: the beginning of its key, and the program */
  sender: string | null;
  /** masked; of what is no JSON, its beginning; empty: whoever checked it kept none */
  document: string;
}

export type JsonValue = unknown;

export interface Judging {
  /** whether this node judges; of several nodes one does */
  leading: boolean;
  /** the end of the newest tick that was judged */
  judged: string | null;
  /** why nothing is judged just now; empty: it goes on */
  paused: string;
  rules: number;
  series: number;
  /** what the last round took */
  round_ms: number;
  /** incidents that were not opened because so many are open */
  left_out: number;
  /** rules that cannot be judged, and why */
  troubles: Record<string, string>;
  /** rules that are not judged of everybody, and why */
  crowded: Record<string, string>;
  open: Record<string, number>;
}

export interface KeyMade {
  key: KeyShape;
  /** shown this once */
  secret: string;
}

export interface KeyShape {
  id: number;
  label: string;
  /** how the key begins */
  prefix: string;
  created: string;
  /** to the minute */
  last_used: string | null;
}

export type KindInput = "deploy" | "model" | "dependency" | "limit" | "breaker" | "service" | "document" | "incident" | "rule";

export interface KindShape {
  name: string;
  help: string;
  options: FieldShape[];
  /** what it is beside that */
  given?: Record<string, unknown>;
}

export interface LabelValues {
  label: string;
  /** the most recent first */
  values: string[];
}

export interface Latency {
  avg: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface Learning {
  /** of which something is known */
  days: number;
  /** from which on the hour of the week is known; before, the hour of the day */
  of_days: number;
  /** whether rules judge by it yet */
  judged: boolean;
  /** 'learning, 3 of 14 days'; empty: it is known */
  text: string;
}

export interface LegShape {
  name: string;
  /** since the leg before */
  took_s: number;
}

export type LevelInput = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

export type LevelOutput = "problem" | "notice";

export interface LinkShape {
  name: string;
  url: string;
}

export interface LogItem {
  at: string;
  level: string;
  /** as OpenTelemetry numbers it, 1 to 24 */
  severity: number;
  event: string;
  text: string;
  bot: string;
  host: string;
  instance: string;
  channel: string;
  scope: string;
  session_id: string | null;
  /** masked unless you may see it */
  user: string | null;
  trace_id: string | null;
  span_id: string | null;
  correlation_id: string | null;
  attributes: Record<string, JsonValue>;
  resource: Record<string, JsonValue>;
}

export interface LogPage {
  items: LogItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
  /** where `buckets` was given */
  histogram: Histogram | null;
}

export interface Me {
  name: string;
  role: Role;
  via: Via;
  expires: string | null;
}

export interface MeasureShape {
  name: string;
  unit: string;
  help: string;
  /** what it can be grouped and filtered by */
  labels: string[];
  aliases: string[];
  /** what else can be asked of it */
  aggregations: string[];
  /** which side is bad */
  worse: BotwatchMeasureModelDirection;
  /** what a step without data means */
  empty: Empty;
  thresholds: ThresholdsShape | null;
  colours: ThresholdsShape | null;
  /** what to do about a bad value; empty: that depends */
  remedy: string;
}

export interface MessageFigures {
  today: number | null;
  this_hour: number | null;
  avg_response_ms: number | null;
}

export interface MetricShape {
  name: string;
  kind: string;
  unit: string;
  help: string;
  labels: string[];
}

export interface Misunderstood {
  at: string;
  bot: string;
  session_id: string;
  channel: string;
  user: string | null;
  message_id: string | null;
  text: string;
  /** as in the list of common queries */
  phrase: string;
  trace_id: string | null;
  reasons: BotwatchApiShapesInsightsReason[];
  /** when somebody had dealt with this phrase; null: nobody has */
  treated: string | null;
  treated_by: string | null;
  note: string;
  before: Uttered[];
  after: Uttered[];
}

export interface ModelItem {
  bot: string;
  name: string;
  provider: string;
  count: number;
  errors: number;
  /** percent */
  error_rate: number | null;
  tokens_in: number;
  tokens_out: number;
  /** by list price; null where none is known */
  cost_usd: number | null;
  latency_ms: Latency;
  last_seen: string | null;
}

export type Mood = "good" | "bad";

export interface NewKey {
  label: string;
}

export interface NewNote {
  text: string;
}

export interface NewPassword {
  old: string;
  new: string;
}

export interface NewService {
  /** where it is; may hold user and password */
  url: string;
  /** what it is; empty: known by the scheme, or by its name */
  kind?: string;
  user?: string;
  password?: string;
  /** for services that take one instead of a user */
  token?: string;
  interval_seconds?: number;
  /** unset: half the interval, from 1 to 5 */
  timeout_seconds?: number | null;
  /** so many of the last `of` answers must be bad */
  fails?: number;
  of?: number;
  /** of http; empty: 200 to 399 */
  expect_status?: number[];
  /** of http */
  expect_text?: string;
  /** of http: rules such as 'database == ok' */
  expect_json?: string[];
  /** of http: name to the path of a number in its JSON */
  figures?: Record<string, unknown>;
  /** a certificate valid for less is a fault */
  certificate_days?: number;
  /** of s3 */
  region?: string;
  /** of models: try a tiny completion with this model */
  complete?: string;
  /** small letters, digits, '.', '_' and '-' */
  name: string;
}

export interface NewToken {
  label: string;
  /** at most your own; null: your own */
  role?: Role | null;
  /** whom it is for; an admin may name another */
  user?: string | null;
  /** null: until it is revoked */
  days?: number | null;
}

export interface NewUser {
  name: string;
  role: Role;
  password: string;
}

export type NoData = "ok" | "keep" | "open" | "resolve";

export interface NoiseItem {
  rule: string;
  verdict: Verdict;
  advice: string;
  incidents: number;
  incidents_a_day: number;
  acknowledged: number;
  /** that opened again soon after the one before had ended */
  flapped: number;
  subjects: number;
  open_seconds: number;
  seconds_to_detect: number | null;
  seconds_to_acknowledge: number | null;
  seconds_to_resolve: number | null;
}

export interface NoiseShape {
  from: string;
  to: string;
  rules: NoiseItem[];
}

export interface NoticeShape {
  /** empty: nobody could be told */
  channel: string;
  step: string;
  at: string;
  /** settling, held, digest, sealed: part of a delivery; dropped */
  state: string;
  reason: BotwatchNotifyRouteReason;
  detail: string;
  /** when it is looked at next; null: it has been decided */
  due: string | null;
  delivery: string | null;
}

export type Operand = "equalOrLessThan" | "equalOrMoreThan";

export type Outcome = "answered" | "handed_off" | "failed" | "unanswered";

export interface PageActionItem {
  items: ActionItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageAuditShape {
  items: AuditShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageBotItem {
  items: BotItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageBreachShape {
  items: BreachShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageChangeItem {
  items: ChangeItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageDeliveryShape {
  items: DeliveryShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageDependencyChange {
  items: DependencyChange[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageDependencyItem {
  items: DependencyItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageDeployItem {
  items: DeployItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageDriftShape {
  items: DriftShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageFaultItem {
  items: FaultItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageFeedbackItem {
  items: FeedbackItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageHostItem {
  items: HostItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageIncidentItem {
  items: IncidentItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageInvalidShape {
  items: InvalidShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageKeyShape {
  items: KeyShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageLogItem {
  items: LogItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageMisunderstood {
  items: Misunderstood[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageModelItem {
  items: ModelItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageReportShape {
  items: ReportShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageSessionShape {
  items: SessionShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageSilenceShape {
  items: SilenceShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageTokenShape {
  items: TokenShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageTraceItem {
  items: TraceItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface PageUserShape {
  items: UserShape[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
}

export interface Panel {
  /** empty: the name of the measure */
  title?: string;
  measure: string;
  by?: string[];
  /** label=value, label!=value or label~pattern; all must hold */
  where?: string[];
  /** another than its own, as in /api/measures */
  aggregation?: string;
  /** lines and bars over time; number and table of all the time */
  drawn?: Drawn;
  /** null: that of the report */
  period?: string | null;
}

export interface PartitionItem {
  partition: string;
  depth: number | null;
  age_seconds: number | null;
}

export interface PlaceShape {
  path: string;
  /** the share of the objects around it that have it */
  present: number | null;
  null: number;
  empty: number | null;
  types: Record<string, number>;
  /** null: too many to be a choice */
  values: Record<string, number> | null;
  seen: number;
}

export interface PreviewGiven {
  period?: string;
  panels: Panel[];
}

export interface ProblemShape {
  source: string;
  /** its name, or which one it is where it has none; empty: the file as a whole */
  rule: string;
  field: string;
  /** what was expected, and what was found */
  message: string;
  /** of the file */
  line: number | null;
}

export interface ProfileShape {
  source: string;
  variants: VariantShape[];
  critical: CriticalShape[];
}

export type Purpose = "incident" | "digest" | "trouble" | "test" | "hook" | "report";

export interface QueueItem {
  queue: string;
  /** as it is called in the settings; null: a bot tells of this queue itself */
  broker: string | null;
  /** the kind of broker */
  system: string | null;
  /** consumer group */
  group: string | null;
  bot: string | null;
  host: string | null;
  /** when the figures were true */
  seen: string;
  /** false: nothing was heard of it since, or its broker does not answer */
  current: boolean;
  trend: Trend;
  /** waiting, and taken by nobody */
  depth: number | null;
  /** taken, and not done */
  pending: number | null;
  /** of the oldest message that is not done */
  age_seconds: number | null;
  /** false: it is at least so old */
  age_exact: boolean | null;
  consumers: number | null;
  /** waiting where nobody consumes */
  unattended: number | null;
  in_per_second: number | null;
  out_per_second: number | null;
  /** false: the broker does not count, it is so much at least */
  rates_exact: boolean | null;
  /** below 0 while it drains */
  growth_per_second: number | null;
  /** null: it is not draining */
  time_to_drain_seconds: number | null;
  /** for how long it has been filling faster than it drains */
  growing_seconds: number | null;
  /** for how long something has waited while nothing left */
  stalled_seconds: number | null;
  partitions: PartitionItem[];
}

export interface QueuePage {
  items: QueueItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
  brokers: BrokerItem[];
}

export interface Ready {
  ready: boolean;
  /** why not, in plain words */
  reasons: string[];
}

export type ReasonInput = "failed" | "unanswered" | "handed_off" | "repeated" | "fallback" | "feedback";

export interface ReceiptShape {
  /** the idempotency key that the receiver gets */
  id: string;
  channel: string;
  /** incident, digest, trouble, test, hook or report */
  purpose: string;
  title: string;
  /** waiting, delivered, failed, or folded: told by a later one */
  status: string;
  incidents: string[];
  severity: Severity;
  created: string;
  /** when it is tried next; null: it has ended */
  due: string | null;
  finished: string | null;
  attempts: number;
  /** of the last attempt */
  latency_ms: number | null;
  /** what the receiver said last */
  answer: string;
  folded_into: string | null;
  /** the message */
  text: string;
  /** the attempts: of many the first and the latest */
  receipt: AttemptShape[];
}

export type Refusal = "invalid" | "too_large" | "unsupported" | "unauthorised" | "full" | "clock" | "bad_id" | "empty_metric" | "engine";

export interface RelatedShape {
  /** deploy, model, dependency, limit, breaker, service, document, incident or rule */
  what: string;
  text: string;
  at: string;
  url: string;
  /** it is what the incident is about, and no cause of it */
  about: boolean;
  sure: string | null;
  /** of one like it standing so near without having to do with it, 0 to 1 */
  chance: number | null;
  /** what was measured of both versions; empty: nothing could be */
  measured: string;
}

export interface Report {
  name: string;
  period?: string;
  panels?: Panel[];
  schedule?: Schedule | null;
}

export interface ReportData {
  name: string;
  period: string;
  as_of: string;
  panels: Panel[];
  /** of each panel, in the same order */
  answers: AnswerShape[];
}

export interface ReportGiven {
  /** the one that was changed */
  revision: number;
  report: Report;
}

export interface ReportShape {
  id: number;
  report: Report;
  revision: number;
  owner: string;
  /** whether you may */
  may_change: boolean;
  created: string;
  changed: string;
  changed_by: string;
  /** when it is sent next */
  due: string | null;
  /** the time it was sent for last */
  sent: string | null;
  /** the latest mail, in /api/deliveries */
  delivery: string | null;
  /** why it could not be made; it is tried again */
  problem: string;
}

export interface ResourceFigures {
  cpu_percent: number | null;
  memory_percent: number | null;
  gpu_percent: number | null;
  disk_percent: number | null;
}

export interface Retried {
  requests: number;
}

export type Role = "admin" | "monitor";

export interface Route {
  name?: string;
  severities?: Severity[];
  /** names of rules; * and ? stand for anything */
  rules?: string[];
  /** names of bots; * and ? stand for anything */
  bots?: string[];
  /** conditions on labels, such as host~web-* */
  where?: string[];
  /** by name; none: nobody is told */
  channels?: string[];
  /** ask the next routes too */
  continue?: boolean;
  /** what of one value comes in one message: labels, or rule */
  group_by?: string[];
  /** seconds the first of a group waits for others */
  settle?: number;
  escalate?: Escalation[];
}

export interface RoutesGiven {
  /** in order: the first that fits */
  routes: Record<string, unknown>[];
}

export interface RoutesShape {
  /** settings, api, or default: every channel hears of warning and critical */
  source: string;
  routes: Route[];
}

export interface Rule {
  name: string;
  kind?: BotwatchDetectRuleKind;
  field?: string;
  per?: string;
  all?: string[];
  any?: string[];
  aggregation?: Aggregation;
  operand?: Operand;
  value?: number;
  timeframe?: string;
  cooldown?: string;
  where?: string[];
  by?: string[];
  for?: string;
  recover?: number | null;
  guard?: string;
  guard_min?: number;
  severity?: Severity;
  no_data?: NoData;
  notify?: string[];
  runbook?: string;
  message?: string;
  depends_on?: string[];
  enabled?: boolean;
  options?: Record<string, unknown>;
}

export interface RuleItem {
  rule: Rule;
  /** where it came from: default, file:NAME, api, import:NAME */
  source: string;
  /** the source of the rule in whose place it stands; deleting it brings that */
  replaces: string | null;
  /** false: it cannot be, as `problems` tells */
  judged: boolean;
  problems: ProblemShape[];
  /** null: nobody changed it here */
  changed: string | null;
  changed_by: string | null;
  open_incidents: number;
}

export interface RulesChecked {
  /** those whose shape is right, with all they leave out */
  rules: Rule[];
  /** empty: they can be saved */
  problems: ProblemShape[];
  cost: CostShape;
}

export interface RulesPage {
  items: RuleItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
  /** all there are now, also of files whose rules are not here */
  problems: ProblemShape[];
  /** the end of the newest ten seconds this server has judged; null: none, as where another one judges */
  judged_until: string | null;
  /** why nothing is judged now; empty: it is */
  paused: string;
}

export interface RulesToCheck {
  rules?: Record<string, unknown>[];
  text?: string;
  format?: "json" | "toml" | "yaml";
}

export interface Said {
  at: string;
  direction: BotwatchNounsDirection;
  author: Author;
  text: string;
  message_id: string | null;
  reply_to: string | null;
  trace_id: string | null;
}

export interface SavedRule {
  rule: Rule;
  /** where it came from: default, file:NAME, api, import:NAME */
  source: string;
  /** the source of the rule in whose place it stands; deleting it brings that */
  replaces: string | null;
  /** false: it cannot be, as `problems` tells */
  judged: boolean;
  problems: ProblemShape[];
  /** null: nobody changed it here */
  changed: string | null;
  changed_by: string | null;
  open_incidents: number;
  /** of a contract that was made or changed: what it would have counted */
  trial: TrialShape | null;
  /** what whoever saved it should know */
  warnings: string[];
}

export interface Schedule {
  every?: Every;
  at?: string;
  /** of a weekly one */
  weekday?: Weekday;
  /** of a monthly one */
  day?: number;
  /** empty: that of the settings */
  zone?: string;
  /** a channel of the kind email */
  channel: string;
  /** none: whom the channel reaches */
  to?: string[];
  files?: FileKind[];
}

export type Sensitivity = "low" | "medium" | "high";

export interface SeriesShape {
  measure: string;
  labels: Record<string, string>;
  /** longer than asked where only longer ones are still kept */
  step_seconds: number | null;
  /** seconds since 1970 at which a step begins, and its value */
  points: ([number, number | null])[];
  /** what the values leave out, in words */
  notes: string[];
}

export interface ServiceChange {
  at: string;
  host: string;
  before: string;
  status: string;
  reason: string | null;
  version: string | null;
}

export interface ServiceDetail {
  service: ServiceItem;
  /** the newest first */
  changes: ServiceChange[];
}

export interface ServiceItem {
  name: string;
  kind: string;
  address: string;
  /** the machine it is asked from */
  host: string;
  status: BotwatchWatchProbesModelStatus;
  reason: string | null;
  version: string | null;
  /** for people, such as '24/100 connections' */
  key_figure: string | null;
  figures: FigureShape[];
  latency_ms: number | null;
  /** when it was told to be so */
  since: string | null;
  checked: string | null;
  interval_seconds: number | null;
  /** settings or api; null: another server asks it */
  source: string | null;
}

export interface ServiceList {
  items: ServiceItem[];
  running: number;
  total: number;
}

export interface ServiceOptions {
  name: string;
  address: string;
  /** without secrets */
  options: Record<string, unknown>;
  /** the secret ones that are set */
  secrets: string[];
}

export interface ServiceToTry {
  /** empty: where it was */
  url?: string;
  /** what it is; empty: known by the scheme, or by its name */
  kind?: string;
  user?: string;
  password?: string;
  /** for services that take one instead of a user */
  token?: string;
  interval_seconds?: number;
  /** unset: half the interval, from 1 to 5 */
  timeout_seconds?: number | null;
  /** so many of the last `of` answers must be bad */
  fails?: number;
  of?: number;
  /** of http; empty: 200 to 399 */
  expect_status?: number[];
  /** of http */
  expect_text?: string;
  /** of http: rules such as 'database == ok' */
  expect_json?: string[];
  /** of http: name to the path of a number in its JSON */
  figures?: Record<string, unknown>;
  /** a certificate valid for less is a fault */
  certificate_days?: number;
  /** of s3 */
  region?: string;
  /** of models: try a tiny completion with this model */
  complete?: string;
  /** of one there is: its secrets are taken along */
  name: string;
}

export interface Session {
  session: SessionItem;
  /** which have a session of the same id; ask with `bot` */
  other_bots: string[];
  /** the newest, oldest first */
  transcript: Said[];
  transcript_truncated: boolean;
  turns: TurnItem[];
  /** the newest first */
  traces: TraceItem[];
  /** the newest first; `next` goes on at /api/logs with the same session and bot */
  logs: PageLogItem;
  feedback: SessionFeedback[];
  events: SessionEvent[];
}

export interface SessionEvent {
  at: string;
  event: string;
  text: string;
  message_id: string | null;
  attributes: Record<string, JsonValue>;
}

export interface SessionFeedback {
  at: string;
  score: number | null;
  text: string;
  message_id: string | null;
}

export interface SessionFigures {
  active: number | null;
  peak_today: number | null;
  avg_duration_seconds: number | null;
}

export interface SessionItem {
  id: string;
  bot: string;
  /** masked unless you may see it */
  user: string | null;
  channel: string;
  host: string;
  started: string;
  last_seen: string;
  /** from the first message to the last */
  duration_seconds: number;
  messages: number;
  messages_in: number;
  messages_out: number;
  state: SessionState;
  handed_off: boolean;
  outcome: string | null;
  feedback: Feedback | null;
}

export interface SessionName {
  bot: string;
  session_id: string;
}

export interface SessionPage {
  items: SessionItem[];
  /** the cursor of the next page; null: this is the last */
  next: string | null;
  /** of all pages; only counted for active sessions */
  total: number | null;
}

export interface SessionShape {
  id: number;
  role: Role;
  /** null: signed in by the link of the server's terminal */
  user: string | null;
  /** the one this request came with */
  current: boolean;
  created: string;
  expires: string | null;
  /** to the minute */
  last_used: string | null;
}

export type SessionState = "active" | "ended" | "idle";

export type Severity = "info" | "warning" | "critical";

export interface ShareGiven {
  /** whom it is for */
  label: string;
  /** after which it shows no more */
  days?: number;
}

export interface ShareMade {
  share: ShareShape;
  /** cannot be had again; the link is /shared#SECRET */
  secret: string;
}

export interface ShareShape {
  id: number;
  label: string;
  created: string;
  created_by: string;
  expires: string;
}

export type Signal = "traces" | "logs" | "points" | "payloads" | "turns" | "contracts";

export interface Silence {
  where: string[];
  starts: string;
  ends?: string | null;
  /** only in these hours: a maintenance window */
  window?: Window | null;
  comment?: string;
}

export interface SilenceShape {
  id: number;
  silence: Silence;
  /** it mutes at this moment */
  holds: boolean;
  created: string;
  created_by: string;
  /** null: it recurs without an end */
  over: string | null;
}

export interface SourceShape {
  source: string;
  /** null: it is declared, and its documents are not known yet */
  learning_since: string | null;
  kinds_fields: string[];
  kinds_carried: string[];
  drifting: number;
  /** where something is declared of it: settings or api */
  declared: string | null;
  /** the place of a document that names its conversation */
  session: string | null;
  /** the JSON Schema its documents are held against, where it is a file */
  schema_file: string | null;
  /** why they are not, or not against the newest */
  schema_problem: string | null;
  /** places that are watched in every document */
  critical: string[];
}

export interface SpanEvent {
  at: string;
  offset_ns: number;
  name: string;
  attributes: Record<string, JsonValue>;
}

export interface SpanItem {
  span_id: string;
  parent_span_id: string | null;
  name: string;
  kind: string;
  start: string;
  /** from the start of the trace */
  offset_ns: number;
  duration_ns: number;
  status: string;
  status_message: string;
  /** error, timeout or rate_limited */
  failure: string | null;
  bot: string;
  host: string;
  instance: string;
  scope: string;
  action: string | null;
  request: string | null;
  dependency: string | null;
  model: string | null;
  tokens_in: number;
  tokens_out: number;
  session_id: string | null;
  user: string | null;
  channel: string | null;
  correlation_id: string | null;
  attributes: Record<string, JsonValue>;
  resource: Record<string, JsonValue>;
  events: SpanEvent[];
  links: SpanLink[];
}

export interface SpanLink {
  trace_id: string;
  span_id: string;
}

export type StatusInput = "open" | "acknowledged" | "resolved";

export type Step = "opened" | "acknowledged" | "worsened" | "noted" | "explained" | "resolved";

export type Stop = "action" | "message";

export type Suggest = "measures" | "labels" | "conditions" | "rules" | "channels" | "bots" | "zones";

export interface TermShape {
  /** null: any */
  bot: string | null;
  channel: string | null;
  within: string;
  /** when the time counts; null: always */
  hours: string | null;
}

export interface ThresholdsShape {
  warning: number;
  critical: number;
}

export interface Tick {
  as_of: string;
  /** null: it could not be found out */
  status: BotwatchApiShapesMonitoringStatus | null;
  /** why it could not, in words */
  away: string | null;
  /** of what anything was stored since the tick before */
  changed: Signal[];
  /** ids of those that changed since the tick before; of many the newest */
  incidents: string[];
  /** incidents that are not over; null: it is not known */
  open: Record<string, number> | null;
  /** names of those that changed since the tick before, came or went */
  services: string[];
  /** whether any rule changed since the tick before */
  rules: boolean;
}

export interface ToBacktest {
  rule: Record<string, unknown> | string;
  period?: string;
}

export interface ToTreat {
  bot: string;
  phrase: string;
  note?: string;
}

export interface TokenMade {
  token: TokenShape;
  /** shown this once */
  secret: string;
}

export interface TokenShape {
  id: number;
  label: string;
  role: Role;
  /** null: it belongs to nobody */
  user: string | null;
  created: string;
  expires: string | null;
  /** to the minute */
  last_used: string | null;
}

export type Topic = "no_data" | "no_conversations" | "unknown_users" | "alerts" | "high_cpu";

export interface TopicItem {
  topic: Topic;
  question: string;
  /** false: it could not be looked at, so that no findings mean nothing */
  looked: boolean;
  why_not: string | null;
  findings: FindingItem[];
}

export interface TouchedShape {
  /** turns, actions, calls, … */
  noun: string;
  /** that went wrong; where it is about times, all of them */
  count: number;
  of: number;
  sessions: number;
  /** the newest; where it is about times, the slowest */
  examples: ExampleShape[];
}

export interface Trace {
  trace_id: string;
  name: string;
  start: string;
  duration_ns: number;
  failed: boolean;
  /** it has more spans than are shown */
  truncated: boolean;
  /** in the order they began */
  spans: SpanItem[];
  logs: LogItem[];
  sessions: TraceSession[];
  messages: TraceMessage[];
}

export interface TraceItem {
  trace_id: string;
  /** of its first span */
  name: string;
  start: string;
  duration_ms: number;
  spans: number;
  errors: number;
  failed: boolean;
  bots: string[];
  action: string | null;
  session_id: string | null;
  user: string | null;
  channel: string | null;
}

export interface TraceMessage {
  at: string;
  bot: string;
  session_id: string;
  message_id: string | null;
  direction: string;
  author: string;
  text: string;
}

export interface TraceSession {
  bot: string;
  session_id: string;
}

export type Trend = "growing" | "draining" | "steady" | "empty" | "unknown";

export interface TrialShape {
  name: string;
  start: string;
  end: string;
  kept: number;
  breached: number;
  late: number;
  open: number;
  /** percent followed in time; null: nothing had to be followed */
  rate: number | null;
  /** the newest breaches */
  examples: BreachShape[];
  /** what whoever saves it should know: what of it was never seen */
  warnings?: string[];
}

export interface TurnItem {
  asked: string;
  answered: string | null;
  outcome: Outcome;
  answered_by: string | null;
  response_ms: number | null;
  message_id: string | null;
  trace_id: string | null;
}

export interface UserChange {
  role?: Role | null;
  disabled?: boolean | null;
  password?: string | null;
}

export interface UserShape {
  name: string;
  role: Role;
  disabled: boolean;
  created: string;
}

export interface UsualShape {
  came: number;
  expected: number;
  over_s: number;
}

export interface Uttered {
  at: string;
  direction: BotwatchNounsDirection;
  author: Author;
  text: string;
  message_id: string | null;
}

export interface Variant {
  /** without case, punctuation and figures; a figure is 0 */
  phrase: string;
  count: number;
  example: string;
}

export interface VariantShape {
  variant: string;
  documents: number;
  /** of these, with more places than are looked at in one document */
  partly: number;
  places: PlaceShape[];
}

export type Verdict = "ignored" | "flaps" | "often" | "silent" | "fine";

export type Via = "browser" | "api" | "setting";

export interface Week {
  measure: string;
  unit: string;
  /** the hours are those of this time zone, that of the settings */
  zone: string;
  from: string;
  /** the hour that is going on is left out */
  to: string;
  /** all 168, from Monday 00:00 */
  hours: WeekHour[];
  /** hours that stand out week after week */
  spikes: WeekSpike[];
}

export interface WeekHour {
  /** 0 is Monday */
  day: number;
  hour: number;
  /** of the weeks; null: nothing is known of this hour */
  mean: number | null;
  weeks: number;
}

export interface WeekSpike {
  day: number;
  hour: number;
  /** in which it stood out */
  weeks: number;
  /** weeks it is known in */
  of: number;
  mean: number;
  /** what the hours before and after it have; null: they have nothing */
  times: number | null;
  sentence: string;
}

export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

export interface Window {
  from: string;
  until: string;
  days?: Weekday[];
  zone?: string;
}

export interface WouldShape {
  labels: Record<string, string>;
  startTime: string;
  /** null: it would still be open */
  endTime: string | null;
  seconds: number;
  reason: BotwatchDetectFindingReason;
  triggerValue: number | null;
  peak_value: number | null;
}
