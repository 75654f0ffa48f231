/** Checks and builds production with as many generated streams as the argument says; bench/synth.js bundles and times this. */
import { checkBuild } from "../src/cli/commands/check.ts";
import { definitions } from "../src/cli/definitions.ts";
import type { StreamInput } from "../src/model/stream.ts";

const amount = Number(process.argv[2]);
const streams = Array.from(
  { length: amount },
  (_, i): StreamInput => ({
    name: `bench_${i}`,
    subjects: [`bench.${i % 10}.${i}.>`],
    replicas: 3,
    maxMsgs: 10_000,
    maxBytes: "1MiB",
    maxAge: "1d",
    maxMsgSize: "64KiB",
    duplicateWindow: "2m",
    publishers: [
      {
        service: "iot",
        subject: `bench.${i % 10}.${i}.>`,
        rate: "1/h",
        size: "100B",
        data: { sensitivity: "internal" },
      },
    ],
    consumers: [
      { name: "bff", service: "bff", ackPolicy: "explicit", ackWait: "30s", maxDeliver: 3 },
      { name: "oms", service: "oms", ackPolicy: "explicit", filterSubject: `bench.${i % 10}.${i}.a`, maxDeliver: 3 },
    ],
  }),
);
const start = performance.now();
const { problems } = checkBuild("production", { ...definitions, streams: { bench: streams } }, "unused");
const took = performance.now() - start;
const errors = problems.filter(({ severity }) => severity === "error");
console.log(JSON.stringify({ took, errors: errors.length, first: errors[0] }));
