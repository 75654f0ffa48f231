import { expect, test } from "vitest";
import { natsClients } from "../../../src/kubernetes/network-policy.ts";
import { defineBucket } from "../../../src/model/bucket.ts";
import { modelWith } from "../../support/definitions.ts";

test("whoever publishes, consumes or reads may reach the servers, and nobody else", () => {
  const streams = [
    defineBucket({
      bucket: "flags",
      maxBytes: "1MiB",
      publishers: [{ service: "bff", subject: "$KV.flags.>", data: { sensitivity: "internal" } }],
      readers: ["oms"],
    }),
    { name: "work", subjects: ["work.>"], consumers: [{ name: "geo-work", service: "geo" }] },
  ];
  expect(natsClients(modelWith({ streams })).sort()).toEqual(["bff", "geo", "oms"]);
});
