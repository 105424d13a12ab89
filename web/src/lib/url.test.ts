import { expect, test } from "vitest";
import { queryOf } from "../api/fetch";
import { changed, partsOf } from "./url";

test("a name with a slash or a percent sign is one part", () => {
  expect(partsOf("/conversations/a%2Fb%25")).toEqual(["conversations", "a/b%"]);
  expect(partsOf("/conversations/%zz")).toEqual(["conversations", "%zz"]);
});

test("one parameter changes, an empty one goes, the others stay", () => {
  expect(changed("?state=all&page=3", { page: "" })).toBe("?state=all");
  expect(changed("?bot=a", { q: "x y&z" })).toBe("?bot=a&q=x+y%26z");
  expect(changed("?bot=a", { bot: "" })).toBe("");
});

test("no filter is asked for where there is none", () => {
  expect(queryOf({ bot: "", channel: undefined, page: 2, measure: ["a", "b"] })).toBe("?page=2&measure=a&measure=b");
});
