import { describe, expect, test } from "vitest";
import { differences, liesIn, renderPath } from "../../../src/deploy/differences.ts";
import { quantityOf } from "../../../src/deploy/quantity.ts";

describe("differences", () => {
  test("names the field as deep down as it goes, and items of a list by their names", () => {
    const before = { spec: { containers: [{ name: "nats", image: "nats:1" }, { name: "other" }], replicas: 3 } };
    const after = { spec: { replicas: 3, containers: [{ name: "other" }, { name: "nats", image: "nats:2" }] } };
    expect(differences(before, after)).toEqual([
      { path: ["spec", "containers", "nats", "image"], from: "nats:1", to: "nats:2" },
    ]);
  });

  test("says what is new, what goes, and that equal things are equal", () => {
    expect(differences({ a: 1, b: [1, 2] }, { b: [1, 2], c: 3 })).toEqual([
      { path: ["a"], from: 1 },
      { path: ["c"], to: 3 },
    ]);
    expect(differences({ a: [{ b: 1 }] }, { a: [{ b: 1 }] })).toEqual([]);
  });

  test("compares lists without names as a whole where one is longer, and by place where they are as long", () => {
    expect(differences({ a: ["x"] }, { a: ["x", "y"] })).toEqual([{ path: ["a"], from: ["x"], to: ["x", "y"] }]);
    expect(differences([{ port: 1 }], [{ port: 2 }])).toEqual([{ path: ["0", "port"], from: 1, to: 2 }]);
  });

  test("takes claim templates by the names in their metadata", () => {
    const claim = (storage: string) => [{ metadata: { name: "data" }, spec: { storage } }];
    expect(differences(claim("1Gi"), claim("2Gi")).map(({ path }) => renderPath(path))).toEqual(["data.spec.storage"]);
  });

  test("two items of one name are not told apart, so their places are taken", () => {
    const twice = (image: string) => [
      { name: "a", image: "1" },
      { name: "a", image },
    ];
    expect(differences(twice("1"), twice("2"))).toEqual([{ path: ["1", "image"], from: "1", to: "2" }]);
  });
});

test("paths are written as people write them", () => {
  expect(renderPath(["data", "nats.conf"])).toBe('data["nats.conf"]');
  expect(renderPath(["spec", "replicas"])).toBe("spec.replicas");
});

test("a difference above a field lies in it too", () => {
  expect(liesIn({ path: ["spec"] }, "spec", "template")).toBe(true);
  expect(liesIn({ path: ["spec", "template", "spec"] }, "spec", "template")).toBe(true);
  expect(liesIn({ path: ["spec", "replicas"] }, "spec", "template")).toBe(false);
});

test("quantities are bytes, and nothing else is one", () => {
  expect([quantityOf("50Gi"), quantityOf("1.5Ki"), quantityOf("2k"), quantityOf("7")]).toEqual([
    50 * 2 ** 30,
    1536,
    2000,
    7,
  ]);
  expect(() => quantityOf("50GiB")).toThrow('"50GiB" is no amount of bytes');
});
