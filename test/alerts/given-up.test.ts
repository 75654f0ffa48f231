/** What NatsConsumerGaveUp takes for new: what was given up before stays counted only as long as the stream has it. */
import { describe, expect, test } from "vitest";
import type { StreamInput } from "../../src/model/stream.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { alertsIn, groupsOf, testRules } from "../support/promtool.ts";
import { without } from "../support/tools.ts";
import { everything } from "./everything.ts";

const alert = "NatsConsumerGaveUp";
const named = (model: typeof everything) => alertsIn(model).filter((rule) => rule.alert === alert);
/** The rules that it needs, evaluated every five minutes: days of all of them would take minutes. */
const rules = groupsOf(everything)
  .flatMap((group) => group.rules)
  .filter((rule) => ("alert" in rule ? rule.alert === alert : rule.record === "consumer:nats_consumer_given_up:least"));

describe.skipIf(without("promtool"))("the server gives up", () => {
  const at = {
    ...{ job: "nats", namespace: "circl-backbone", account_name: "CIRCL", is_consumer_leader: "true" },
    ...{ stream_name: "circl_oms", consumer_name: "dms-orders" },
  };
  const labels = Object.entries(at).map(([name, value]) => `${name}="${value}"`);
  const series = (metric: string, values: string) => ({ series: `nats_consumer_num_${metric}{${labels}}`, values });
  const days = (redelivered: string, calls: Readonly<Record<string, number | undefined>>) =>
    testRules(
      [{ name: "given-up", interval: "5m", rules }],
      [
        {
          interval: "5m",
          input_series: [series("redelivered", redelivered), series("ack_pending", "0x1000")],
          promql_expr_test: Object.entries(calls).map(([eval_time, value]) => ({
            expr: `max by (consumer_name) (${named(everything)[0]?.expr})`,
            eval_time,
            exp_samples: value ? [{ labels: '{consumer_name="dms-orders"}', value }] : [],
          })),
        },
      ],
    );

  test("on few messages, after many that the stream has dropped: they are new", () =>
    // A day with fifty of them, two days later four more.
    days("50x288 0x576 4x288", { "1h": 50, "40h": undefined, "71h": undefined, "73h": 4, "95h": 4 }));

  test("on few messages beside many that are still there: those alone are new", () =>
    days("50x864 54x288", { "1h": 50, "71h": undefined, "73h": 4 }));
});

test("what was given up is remembered no longer than the stream keeps it, a day at least and a week at most", () => {
  const consumers = [{ name: "oms-all", service: "oms", maxDeliver: 3 }] as const;
  const data = { sensitivity: "internal" } as const;
  const stream = (name: string, change: Partial<StreamInput>): StreamInput => ({
    ...{ ...orders, name, subjects: [`${name}.>`], consumers },
    publishers: [{ service: "oms", subject: `${name}.x`, data }],
    ...change,
  });
  const fast = { service: "oms", subject: "fast.x", rate: "1000/s", size: "1KiB", data } as const;
  const model = modelWith({
    streams: [
      stream("month", { maxAge: "30d" }),
      stream("fast", { maxAge: "30d", maxMsgs: 1_000_000, publishers: [fast] }),
      stream("days", { maxAge: "3d" }),
      stream("hour", { maxAge: "1h" }),
    ],
  });
  const remembered = named(model).map(({ expr }) =>
    /\{stream_name=~"([^"]+)"\}\[(\dd)\] offset 1d/.exec(expr)?.slice(1),
  );
  expect(remembered).toEqual([
    ["fast|hour", "1d"],
    ["days", "3d"],
    ["month", "7d"],
  ]);
});
