import { expect, test } from "vitest";
import { coded, parted, pieces, plain } from "./text";

test("ordinary text in any script stays as it is", () => {
  for (const text of ["Hello", "line\nline\tcell", "שלום", "नमस्ते", "👩‍👩‍👧", "<b>&amp;</b>"]) {
    expect(pieces(text)).toEqual([{ text, hidden: null }]);
  }
});

test("a terminal escape is seen and escapes nothing", () => {
  expect(pieces("\u001b[31mred")).toEqual([
    { text: "ESC", hidden: "U+001B" },
    { text: "[31mred", hidden: null },
  ]);
});

test("marks that turn text around are named, not obeyed", () => {
  expect(plain("exe.\u202egnp")).toBe("exe.U+202Egnp");
  expect(plain("a\u2066b\u2069")).toBe("aU+2066bU+2069");
});

test("letters that only a machine would read are seen", () => {
  expect(plain("hi\u{e0041}")).toBe("hiU+E0041");
});

test("a line's end from Windows is a line's end, a lone return is not hidden", () => {
  expect(plain("a\r\nb\rc")).toBe("a\nbCRc");
});

test("what stands between backticks is code, and nothing else is", () => {
  expect(coded("helpdesk: `category` is gone where `details.<b>` has come")).toEqual([
    { text: "helpdesk: ", code: false },
    { text: "category", code: true },
    { text: " is gone where ", code: false },
    { text: "details.<b>", code: true },
    { text: " has come", code: false },
  ]);
  expect(coded("a lone ` stays")).toEqual([{ text: "a lone ` stays", code: false }]);
});

test("a long name is parted where its words join, a sentence is not", () => {
  expect(parted("clients.TimedOut")).toEqual(["clients.", "TimedOut"]);
  expect(parted("look_up_account-9")).toEqual(["look_", "up_", "account-", "9"]);
  expect(parted("a sentence, on-line")).toEqual(["a sentence, on-line"]);
  expect(parted("x.".repeat(500))).toHaveLength(1);
});

test("nothing is nothing", () => {
  expect(coded("")).toEqual([]);
  expect(pieces("")).toEqual([]);
});
