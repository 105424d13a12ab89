import { expect, test } from "vitest";
import { pieces, plain } from "./text";

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

test("nothing is nothing", () => {
  expect(pieces("")).toEqual([]);
});
