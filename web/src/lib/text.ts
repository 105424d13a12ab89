// What bots and users wrote is shown as it is, and what hides in it is shown as well.

export interface Piece {
  text: string;
  /** The character that stands here and would not be seen, or would move others. */
  hidden: string | null;
}

// Control characters but tab and newline; marks that turn the direction of text; invisible spaces and tags.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

const CONTROLS =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(" ");

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.replace(/\r\n/g, "\n").matchAll(HIDDEN)) {
    const before = match.input.slice(from, match.index);
    if (before) found.push({ text: before, hidden: null });
    found.push({ text: shown(match[0]), hidden: name(match[0]) });
    from = match.index + match[0].length;
  }
  const rest = text.replace(/\r\n/g, "\n").slice(from);
  if (rest) found.push({ text: rest, hidden: null });
  return found;
}

const NAME_CHARS_MAX = 120;

/** Where a long name may be parted, if it must: after what joins its words. A sentence has spaces for that. */
export const parted = (text: string): string[] => (text.length > NAME_CHARS_MAX || /\s/.test(text) ? [text] : text.split(/(?<=[a-z0-9][._/:-])(?=[a-z0-9])/i));

export interface Part {
  text: string;
  code: boolean;
}

/** A sentence of ours, in which what stands between backticks is a name of somebody else's. A lone one stays. */
export function coded(text: string): Part[] {
  return text
    .split(/`([^`]+)`/)
    .map((part, place) => ({ text: part, code: place % 2 === 1 }))
    .filter((part) => part.text);
}

/** The same in one string, where there is no room for marks. */
export const plain = (text: string) => pieces(text).map((piece) => piece.text).join("");

function shown(character: string): string {
  return CONTROLS[character.codePointAt(0) ?? 0] ?? name(character);
}

function name(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
