/** What a live account looks like to a plan, without one. */
import type { ConsumerInfo, StreamInfo } from "../../src/jetstream/api.ts";
import type { Observed } from "../../src/jetstream/observe.ts";

export const observedWith = (
  streams: readonly StreamInfo[],
  consumers: Readonly<Record<string, readonly ConsumerInfo[]>> = {},
  server: Partial<Observed["server"]> = {},
): Observed => ({
  server: { url: "nats://n", name: "circl-local-nats-0", version: "2.14.9", ...server },
  account: {
    api: {},
    limits: { max_storage: -1, max_memory: -1 },
    storage: 0,
    memory: 0,
    streams: streams.length,
    consumers: 0,
  },
  streams: streams.map((info) => ({ name: info.config.name, status: "known", info })),
  consumers: new Map(Object.entries(consumers).map(([stream, known]) => [stream, { known, unknown: [] }])),
});
