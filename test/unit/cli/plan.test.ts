import { expect, test } from "vitest";
import { renderField } from "../../../src/cli/output/plan.ts";

test.each<[string, unknown, unknown, string]>([
  ["max_age", 604_800e9, 0, "7d -> unlimited"],
  ["max_bytes", -1, 1_073_741_824, "unlimited -> 1 GiB"],
  ["idle_heartbeat", undefined, 5e9, "unset -> 5s"],
  ["priority_timeout", 120e9, 30e9, "2m -> 30s"],
  ["backoff", [1e9, 60e9], undefined, "1s, 1m -> unset"],
  [
    "consumer_limits",
    undefined,
    { inactive_threshold: 3_600e9, max_ack_pending: 500 },
    'unset -> {"inactive_threshold":"1h","max_ack_pending":500}',
  ],
  ["subjects", ["a.>"], ["a.>", "b.>"], '["a.>"] -> ["a.>","b.>"]'],
  [
    "republish",
    undefined,
    { src: ">", dest: "c.>", headers_only: false },
    'unset -> {"src":">","dest":"c.>","headers_only":false}',
  ],
  ["allow_direct", false, true, "false -> true"],
])("%s is printed in units that people think in", (field, from, to, expected) => {
  expect(renderField({ field, from, to })).toBe(`${field} ${expected}`);
});
