import { expect, test } from "vitest";
import { lastPage, numbers } from "./pager";

const told = (page: number, last: number) => numbers(page, last).map((number) => number ?? "…").join(" ");

test("the numbers of the page around where one is", () => {
  expect(told(1, 25)).toBe("1 2 3 4 5 … 25");
  expect(told(13, 25)).toBe("1 … 11 12 13 14 15 … 25");
  expect(told(25, 25)).toBe("1 … 21 22 23 24 25");
  expect(told(4, 25)).toBe("1 2 3 4 5 6 … 25");
  expect(told(22, 25)).toBe("1 … 20 21 22 23 24 25");
  expect(told(2, 3)).toBe("1 2 3");
});

test("every page can be reached from every other, and none stands twice", () => {
  for (let last = 1; last < 40; last++) {
    for (let page = 1; page <= last; page++) {
      const shown = numbers(page, last).filter((number) => number !== null);
      expect(new Set(shown).size).toBe(shown.length);
      for (const wanted of [1, last, page, Math.max(1, page - 1), Math.min(last, page + 1)]) expect(shown).toContain(wanted);
    }
  }
});

test("247 sessions on pages of ten are 25 pages; where nobody counted there may be one more", () => {
  expect(lastPage(1, 10, 247, true)).toBe(25);
  expect(lastPage(1, 10, 0, false)).toBe(1);
  expect(lastPage(4, 10, null, true)).toBe(5);
  expect(lastPage(5, 10, null, false)).toBe(5);
});
