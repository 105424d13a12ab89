// Numbers as people read them.

const SCALES: readonly (readonly [number, string])[] = [
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "K"],
];
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const NONE = "–";

/** 12 400 as 12.4K; below ten thousand every unit counts. */
export function count(value: number | null | undefined): string {
  if (value == null) return NONE;
  const rounded = Math.round(value);
  if (Math.abs(rounded) < 10_000) return WHOLE.format(rounded);
  const [scale, letter] = SCALES.find(([from]) => Math.abs(rounded) >= from * 0.9995) ?? [1, ""];
  return `${trimmed(rounded / scale, 1)}${letter}`;
}

export const exact = (value: number) => WHOLE.format(value);

const EXACTLY = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
/** As somebody wrote it, fractions and all. */
export const exactly = (value: number) => EXACTLY.format(value);

export function milliseconds(value: number | null | undefined): string {
  if (value == null) return NONE;
  if (value < 1) return `${trimmed(value, 2)} ms`;
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 59_950) return `${trimmed(value / 1_000, 1)} s`;
  return seconds(value / 1_000);
}

/** 154 as 2 min 34 sec, the two greatest parts. */
export function seconds(value: number | null | undefined): string {
  if (value == null) return NONE;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} sec`;
  if (whole < 3_600) return both(Math.floor(whole / 60), "min", whole % 60, "sec");
  if (whole < 86_400) return both(Math.floor(whole / 3_600), "h", Math.floor((whole % 3_600) / 60), "min");
  return both(Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3_600), "h");
}

const both = (great: number, unit: string, small: number, below: string) => (small ? `${great} ${unit} ${small} ${below}` : `${great} ${unit}`);

/** Never 100 % where one failed: 99.995 is 99.99. */
export function percent(value: number | null | undefined): string {
  if (value == null) return NONE;
  const shown = value > 99 && value < 100 ? Math.floor(value * 100) / 100 : value;
  return `${trimmed(shown, shown < 10 || shown > 90 ? 2 : 1)} %`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number | null | undefined): string {
  if (value == null) return NONE;
  const power = value < 1 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log2(value) / 10));
  return `${trimmed(value / 1_024 ** power, 1)} ${BYTES[power]}`;
}

export function dollars(value: number | null | undefined): string {
  if (value == null) return NONE;
  return `$${value >= 100 ? WHOLE.format(value) : trimmed(value, value < 1 ? 4 : 2)}`;
}

export function plainNumber(value: number | null | undefined): string {
  if (value == null) return NONE;
  return Math.abs(value) < 1_000 ? trimmed(value, Math.abs(value) < 10 ? 2 : 1) : count(value);
}

const FORMATS: Record<string, (value: number | null | undefined) => string> = {
  percent, ms: milliseconds, seconds, s: seconds, bytes, By: bytes, kib: (value) => bytes(value == null ? null : value * 1_024), usd: dollars,
  share: (value) => percent(value == null ? null : value * 100),
  per_second: (value) => (value == null ? NONE : `${plainNumber(value)}/s`),
};

/** A duration beside an axis, where there is little room: one unit, and of minutes the half and the quarter as a clock says them. */
export function briefSeconds(value: number | null | undefined): string {
  if (value == null) return NONE;
  if (value >= 60 && value < 3_600 && value % 60 >= 1) return `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")} min`;
  const [size, unit] = ([[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]] as const).find(([from]) => Math.abs(value) >= from) ?? [0.001, "ms"];
  return value === 0 ? "0" : `${trimmed(value / size, 1)} ${unit}`;
}

const briefMs = (value: number | null | undefined) => briefSeconds(value == null ? null : value / 1_000);
const BRIEF: typeof FORMATS = { ms: briefMs, seconds: briefSeconds, s: briefSeconds };

/** What an axis of time counts in: whole seconds, minutes, hours and days; of other units whatever is round. */
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000, 8_640_000];
const FRACTIONS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const SECONDS = [...FRACTIONS, ...STEPS_S];
const MILLISECONDS = [...FRACTIONS, ...SECONDS.map((step) => step * 1_000)];
const STEPS: Record<string, number[]> = { ms: MILLISECONDS, seconds: SECONDS, s: SECONDS };
export const stepsOf = (unit: string | undefined): number[] | undefined => STEPS[unit ?? ""];

export const axisOf = (unit: string | undefined) => BRIEF[unit ?? ""] ?? formatOf(unit);

/** The form of a unit, where it has one of its own. */
export const formOf = (unit: string | undefined) => FORMATS[unit ?? ""];

/** How a value of a measure is written, by its unit in the catalogue. */
export const formatOf = (unit: string | undefined) => FORMATS[unit ?? ""] ?? plainNumber;
