import { describe, expect, test } from "vitest";
import { heldSubjects } from "../../../src/model/capture.ts";
import type { StreamInput } from "../../../src/model/stream.ts";
import { checkModel } from "../../../src/rules/index.ts";
import { modelWith } from "../../support/definitions.ts";

const size = { maxBytes: "1MiB" } as const;
const held = (...streams: readonly StreamInput[]): string[] => {
  const model = modelWith({ streams });
  const last = model.streams.at(-1);
  return last ? heldSubjects(last, model) : [];
};

describe("what a stream holds", () => {
  test("is what its own transform makes of it as well", () => {
    const subjectTransform = { src: "T.*", dest: "moved.{{wildcard(1)}}.$1" };
    expect(held({ ...size, name: "T", subjects: ["T.*"], subjectTransform })).toEqual(["T.*", "moved.*.*"]);
  });

  test("has any number of tokens where a transform splits or slices one", () => {
    const subjectTransforms = [{ src: "T.*", dest: "moved.{{split(1,-)}}.end" }];
    expect(held({ ...size, name: "C", sources: [{ name: "T", subjectTransforms }] })).toEqual(["moved.>"]);
  });

  test("can be anything where the origin is another account's", () => {
    const external = { api: "$JS.other.API" };
    expect(held({ ...size, name: "C", sources: [{ name: "T", external }] })).toEqual([">"]);
  });
});

test("a stream may copy one of its own name from another account", () => {
  const sources = [{ name: "orders", external: { api: "$JS.other.API" } }];
  const consumers = [{ name: "oms-all", service: "oms", maxDeliver: 3, filterSubject: "orders.created" }] as const;
  const stream: StreamInput = { ...size, name: "orders", subjects: [], sources, consumers, retention: "interest" };
  expect(checkModel(modelWith({ streams: [stream] })).filter(({ severity }) => severity === "error")).toEqual([]);
});
