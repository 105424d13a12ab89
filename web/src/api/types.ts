// Written by web/generate_types.py from the API; a test holds it to that.

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

export interface Alive {
  alive: boolean;
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

export interface BotItem {
  name: string;
  first_seen: string;
  last_seen: string;
  hosts: string[];
  channels: string[];
}

export type BotwatchMeasureModelDirection = "high" | "low" | "neither";

export type BotwatchNounsDirection = "in" | "out";

export interface Catalogue {
  measures: MeasureShape[];
  /** those that have come, by name; as many as `limit` */
  metrics: MetricShape[];
}

export interface CommonQueries {
  /** the most frequent first */
  items: CommonQuery[];
}

export interface CommonQuery {
  /** without case, punctuation and figures; a figure is 0 */
  phrase: string;
  count: number;
  sessions: number;
  example: string;
  /** percent of those whose outcome is known */
  answered_share: number | null;
}

export interface Credentials {
  name: string;
  password: string;
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

export type Every = "day" | "week" | "month";

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
  bots: string[];
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

export type JsonValue = unknown;

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

export type Level = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

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
  reasons: Reason[];
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

export interface NewPassword {
  old: string;
  new: string;
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

export interface PageDependencyItem {
  items: DependencyItem[];
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

export interface PageSessionShape {
  items: SessionShape[];
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

export interface Ready {
  ready: boolean;
  /** why not, in plain words */
  reasons: string[];
}

export type Reason = "failed" | "unanswered" | "handed_off" | "repeated" | "feedback";

export type Refusal = "invalid" | "too_large" | "unsupported" | "unauthorised" | "full" | "clock" | "bad_id" | "empty_metric" | "engine";

export interface ResourceFigures {
  cpu_percent: number | null;
  memory_percent: number | null;
  gpu_percent: number | null;
  disk_percent: number | null;
}

export type Role = "admin" | "monitor";

export interface Said {
  at: string;
  direction: BotwatchNounsDirection;
  author: Author;
  text: string;
  message_id: string | null;
  reply_to: string | null;
  trace_id: string | null;
}

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

export interface Status {
  sessions: SessionFigures;
  messages: MessageFigures;
  resources: ResourceFigures;
  services: Record<string, string>;
}

export interface ThresholdsShape {
  warning: number;
  critical: number;
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

export interface Uttered {
  at: string;
  direction: BotwatchNounsDirection;
  author: Author;
  text: string;
  message_id: string | null;
}

export type Via = "browser" | "api" | "setting";
