import { describe, expect, test } from "vitest";
import { tile38Alerts } from "../../../src/tile38/alerts.ts";
import { tile38ServiceMonitor } from "../../../src/tile38/metrics.ts";
import { modelWith, realModel } from "../../support/definitions.ts";

const alertsOf = (model: Parameters<typeof tile38Alerts>[0]) =>
  Object.fromEntries(
    tile38Alerts(model)
      .groups.flatMap((group) => group.rules)
      .flatMap((rule) => ("alert" in rule ? [[rule.alert, rule]] : [])),
  );

test("there is an alert for what stops positions, and a quieter one for what will", () => {
  const severities = Object.values(alertsOf(realModel("production"))).map(({ alert, labels }) => [
    alert,
    labels.severity,
  ]);
  expect(Object.fromEntries(severities)).toEqual({
    Tile38NoLeader: "critical",
    Tile38TwoLeaders: "critical",
    Tile38Down: "warning",
    Tile38Restarting: "warning",
    Tile38Slow: "warning",
    Tile38FollowersMissing: "warning",
    Tile38FollowerFlapping: "warning",
    Tile38FollowerDiverged: "warning",
    Tile38CollectionUnwatched: "warning",
    Tile38HooksDiverged: "warning",
    Tile38ScratchFilling: "warning",
    Tile38MemoryFilling: "warning",
    Tile38WritesRefused: "critical",
    Tile38VolumeFilling: "warning",
    Tile38VolumeFull: "critical",
    Tile38ShrinkFailed: "warning",
    Tile38FileNotShrunk: "warning",
  });
});

test("group names are unique: the CRD treats them as a key", () => {
  const names = tile38Alerts(realModel("production")).groups.map(({ name }) => name);
  expect(names).toEqual(["tile38.leader", "tile38.followers", "tile38.capacity"]);
});

test("every expression looks at this environment's namespace alone", () => {
  const model = modelWith({ environment: { kubernetes: { namespace: "elsewhere" } } });
  for (const { expr } of Object.values(alertsOf(model))) {
    for (const [selector] of expr.matchAll(/\{[^}]*\}/g)) expect(selector).toContain('namespace="elsewhere"');
  }
});

describe("followers", () => {
  test("are counted against what the environment asks for", () => {
    expect(alertsOf(realModel("production")).Tile38FollowersMissing?.expr).toBe(
      '(count(tile38_replication_info{job="tile38",namespace="circl-backbone",role="follower",caught_up="true"}) or vector(0)) < 2',
    );
  });

  test("have no alerts where there are none", () => {
    const model = modelWith({ environment: { tile38: { followers: { count: 0 } } } });
    expect(tile38Alerts(model).groups.map(({ name }) => name)).toEqual(["tile38.leader", "tile38.capacity"]);
    expect(JSON.stringify(tile38Alerts(model))).not.toContain("follower-");
  });
});

test("figures follow the environment: 70 % of 1 GiB, and the limit of the file", () => {
  const alerts = alertsOf(realModel("staging"));
  expect(alerts.Tile38WritesRefused?.expr).toMatch(/> 751619276$/);
  expect(alerts.Tile38FileNotShrunk?.expr).toMatch(/pod=~"tile38-leader-\[0-9\]\+"\}\) > 2147483648$/);
});

describe("the monitor", () => {
  const [endpoint] = tile38ServiceMonitor(realModel("production")).endpoints;
  const keep = new RegExp(`^(?:${endpoint?.metricRelabelings?.[0]?.regex})$`);

  test.each(["", "set", "get", "nearby", "sethook", "aofshrink"])("keeps samples of %j", (cmd) => {
    expect(keep.test(cmd)).toBe(true);
  });

  test.each(["junk", "favicon.ico", "setx", "get set"])("drops samples of %j, which any stranger can make", (cmd) => {
    expect(keep.test(cmd)).toBe(false);
  });

  test("keeps what has no collection, and of collections those that are declared", () => {
    expect(endpoint?.metricRelabelings?.[1]).toEqual({
      sourceLabels: ["col"],
      regex: "(fleet|zones)?",
      action: "keep",
    });
    const none = modelWith({ environment: { tile38: { collections: [] } } });
    expect(tile38ServiceMonitor(none).endpoints[0]?.metricRelabelings?.[1]?.regex).toBe("()?");
  });

  test("keeps every command that an alert reads", () => {
    const read =
      alertsOf(realModel("production"))
        .Tile38Slow?.expr.match(/cmd=~"([^"]+)"/)?.[1]
        ?.split("|") ?? [];
    expect(read).not.toEqual([]);
    for (const cmd of read) expect(keep.test(cmd)).toBe(true);
  });
});
