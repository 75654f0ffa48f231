import { describe, expect, test } from "vitest";
import { dashboards } from "../../src/dashboards/dashboards.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { modelWith, orders, realModel } from "../support/definitions.ts";
import { objectOf, objectsOf } from "../support/manifests.ts";
import { readsOf } from "../support/promql.ts";
import { alertsIn } from "../support/promtool.ts";

const ENVIRONMENTS = ["staging", "production", "local"] as const;
type Json = Record<string, never>;

const configMapsOf = (environment: (typeof ENVIRONMENTS)[number]) =>
  objectsOf(realModel(environment)).filter(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.labels?.grafana_dashboard === "1",
  );
const dashboardsOf = (environment: (typeof ENVIRONMENTS)[number]) =>
  configMapsOf(environment).flatMap(({ data }) => Object.values(data ?? {}).map((text) => JSON.parse(text as string)));

test("links to dashboards keep working: these uids never change", () => {
  expect(Object.fromEntries(ENVIRONMENTS.map((name) => [name, dashboardsOf(name).map(({ uid }) => uid)]))).toEqual({
    staging: ["circl-staging-overview", "circl-staging-nats", "circl-staging-jetstream", "circl-staging-tile38"],
    production: [
      "circl-production-overview",
      "circl-production-nats",
      "circl-production-jetstream",
      "circl-production-tile38",
    ],
    local: ["circl-local-overview", "circl-local-nats", "circl-local-jetstream", "circl-local-tile38"],
  });
});

describe.each(ENVIRONMENTS)("dashboards of %s", (environment) => {
  const dashboards = dashboardsOf(environment);
  const panels = dashboards.flatMap(({ panels }) => panels).filter(({ type }: Json) => type !== "row");

  test("are the same bytes from one synth to the next, with sorted keys", () => {
    expect(configMapsOf(environment)).toEqual(configMapsOf(environment));
    const unsorted = (value: unknown): string[] =>
      typeof value === "object" && value !== null
        ? [
            ...(Array.isArray(value) || Object.keys(value).join() === Object.keys(value).sort().join()
              ? []
              : [Object.keys(value).join()]),
            ...Object.values(value).flatMap(unsorted),
          ]
        : [];
    expect(dashboards.flatMap(unsorted)).toEqual([]);
  });

  test("take their Prometheus and namespace from the top", () => {
    for (const { templating } of dashboards) {
      expect(templating.list.slice(0, 2)).toMatchObject([
        { name: "datasource", type: "datasource", query: "prometheus" },
        { name: "namespace", current: { value: "circl-backbone" } },
      ]);
    }
    const known = dashboards.map(({ templating }) => templating.list.map(({ name }: { name: string }) => name));
    for (const [i, { panels }] of dashboards.entries()) {
      for (const { datasource, targets = [], type } of panels) {
        if (type !== "row") expect(datasource).toEqual({ type: "prometheus", uid: "$datasource" });
        for (const { expr } of targets) {
          const used = [...expr.matchAll(/\$(\w+)/g)].map(([, name]: string[]) => name);
          expect([...known[i], "__rate_interval"]).toEqual(expect.arrayContaining(used));
          // What it asks of servers, it asks of those of one namespace.
          if (!expr.includes("ALERTS")) expect(expr).toContain('namespace="$namespace"');
        }
      }
    }
  });

  test("ask a question in every panel, and measure the answer", () => {
    for (const { title, description, fieldConfig, targets } of panels) {
      expect(title).toMatch(/\?$/);
      expect(description.length).toBeGreaterThan(10);
      expect(fieldConfig.defaults.unit).toMatch(/^[a-zA-Z_]+$/);
      expect(targets.length).toBeGreaterThan(0);
    }
  });

  test("count what counts in bytes, seconds and shares as that", () => {
    for (const { title, fieldConfig, targets } of panels) {
      const { unit } = fieldConfig.defaults;
      for (const { expr } of targets) {
        const shared = / \/ (?!1e9)/.test(expr);
        const inSeconds = / \/ 1e9$/.test(expr);
        const rate = /rate\(/.test(expr);
        if (shared) expect([title, unit]).toEqual([title, "percentunit"]);
        else if (/_bytes\{/.test(expr) && !rate) expect([title, unit]).toEqual([title, "bytes"]);
        else if (inSeconds) expect([title, unit]).toEqual([title, "s"]);
        else if (/_duration_seconds\{/.test(expr)) expect([title, unit]).toEqual([title, "s"]);
      }
    }
  });

  test("lie side by side, no panel over another", () => {
    for (const { panels } of dashboards) {
      const ids = panels.map(({ id }: { id: number }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const cells = panels.flatMap(
        ({ gridPos: { x, y, w, h } }: { gridPos: Record<"x" | "y" | "w" | "h", number> }) => {
          expect(x + w).toBeLessThanOrEqual(24);
          return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`);
        },
      );
      expect(new Set(cells).size).toBe(cells.length);
    }
  });

  test("turn red where an alert calls, and say which", () => {
    const coloured = panels.filter(
      ({ fieldConfig }: { fieldConfig: { defaults: { thresholds: { steps: unknown[] } } } }) =>
        fieldConfig.defaults.thresholds.steps.length > 1,
    );
    expect(coloured.length).toBeGreaterThan(5);
    for (const { description } of coloured) expect(description).toMatch(/\n\nCalls: \w+/);
  });

  test("fit into a ConfigMap, and their uids into Grafana", () => {
    for (const { data } of configMapsOf(environment)) expect(JSON.stringify(data).length).toBeLessThan(512 * 1024);
    for (const { uid } of dashboards) expect(uid.length).toBeLessThanOrEqual(40);
  });
});

test.each([
  ["no streams", { streams: [] }],
  ["no consumers, copies or dead letters", { streams: [orders] }],
  ["one server and no followers", { environment: { nats: { servers: 1 }, tile38: { followers: { count: 0 } } } }],
  ["no certificates", { environment: { nats: { tls: false }, certificates: "none" } }],
  ["no Prometheus operator", { environment: { monitoring: { operator: "none" } } }],
] as const)("a backbone with %s has all four dashboards", (_, change) => {
  const objects = objectsOf(modelWith(change));
  for (const name of ["overview", "nats", "jetstream", "tile38"]) {
    const { data } = objectOf(objects, "ConfigMap", `dashboard-${name}`);
    const { panels } = JSON.parse(Object.values(data ?? {}).join());
    expect(panels.length).toBeGreaterThan(3);
    // A row without a panel would be a headline over nothing.
    expect(panels.map(({ type }: { type: string }) => type).join()).not.toMatch(/row(,row|$)/);
  }
});

test("no dashboard has a longer name than the one that E060 reckons with", () => {
  const names = dashboardsOf("production").map(({ uid }) => uid.replace("circl-production-", ""));
  expect(names.toSorted((a, b) => b.length - a.length)[0]).toBe("jetstream");
});

test("a limit is the alert's own figure", () => {
  const nats = dashboardsOf("production").find(({ uid }) => uid.endsWith("-nats"));
  const panel = nats.panels.find(({ title }: { title: string }) => title === "How much of each NATS volume is left?");
  expect(panel.fieldConfig.defaults.thresholds.steps).toEqual([
    { color: "red", value: null },
    { color: "green", value: 0.15 },
  ]);
});

test("the overview counts the alerts of its own environment, and all of them", () => {
  for (const name of ENVIRONMENTS) {
    const model = realModel(name);
    const [overview] = dashboardsOf(name);
    const targets: { expr: string }[] = overview.panels.flatMap(({ targets = [] }) => targets);
    const selectors = targets
      .filter(({ expr }) => expr.includes("ALERTS"))
      .flatMap(({ expr }) => readsOf(expr).selectors);
    expect(selectors).toHaveLength(model.environment.monitoring.operator === "none" ? 0 : 2);
    for (const { matchers } of selectors) {
      expect(matchers).toContainEqual({ label: "environment", op: "=", value: name });
      const pattern = matchers.find(({ label }) => label === "alertname")?.value;
      for (const { alert } of alertsIn(model)) {
        expect(alert).toMatch(new RegExp(`^(?:${pattern})$`));
      }
    }
  }
});

test("the Grafana operator gets its own kind only where it is there", () => {
  for (const name of ENVIRONMENTS) {
    expect(objectsOf(realModel(name)).filter(({ kind }) => kind === "GrafanaDashboard")).toEqual([]);
  }
  const objects = objectsOf(modelWith({ environment: { monitoring: { grafana: { operator: "grafana-operator" } } } }));
  const resources = objects.filter(({ kind }) => kind === "GrafanaDashboard");
  expect(resources.map(({ metadata }) => metadata.name)).toEqual([
    "dashboard-overview",
    "dashboard-nats",
    "dashboard-jetstream",
    "dashboard-tile38",
  ]);
  for (const { spec } of resources) {
    expect(spec.instanceSelector).toEqual({ matchLabels: { dashboards: "grafana" } });
    expect(spec.allowCrossNamespaceImport).toBe(true);
    const { data } = objectOf(objects, "ConfigMap", spec.configMapRef.name);
    expect(Object.keys(data ?? {})).toEqual([spec.configMapRef.key]);
  }
});

describe("panels of production", () => {
  const production = dashboardsOf("production").flatMap(({ panels }) => panels);
  const titled = (title: string) => production.find((panel: Json) => panel.title === title);

  test("begin at 0, but for those whose values below 0 say something", () => {
    const below = production
      .filter(
        ({ type, fieldConfig }: Json) =>
          type !== "row" &&
          (fieldConfig as unknown as { readonly defaults: { readonly min?: number } }).defaults.min === undefined,
      )
      .map(({ title }: Json) => title);
    expect(below).toEqual([
      "How long are certificates valid?",
      "How long are the authorities valid?",
      "What does a replica lack that is two minutes old?",
      "When did copies last hear of their origin?",
    ]);
  });

  test("of the append-only file show both limits: of the leader's, and of what followers may keep of it", () => {
    expect(titled("How large is the append-only file?").fieldConfig.defaults.thresholds.steps).toEqual([
      { color: "green", value: null },
      { color: "orange", value: 2 * 2 ** 30 },
      { color: "orange", value: 15 * 2 ** 30 },
    ]);
  });

  test("of certificates show when servers' and clients' call, of authorities when theirs do, months before", () => {
    const days = (title: string) =>
      titled(title).fieldConfig.defaults.thresholds.steps.map(
        ({ color, value }: { color: string; value: number | null }) => [color, value && value / 86_400],
      );
    const names = (title: string) =>
      ["nats-ca", "nats-route-ca", "nats-server-tls", "nats-route-tls", "nats-client-tls-oms", "theirs"].filter(
        (name) =>
          readsOf(titled(title).targets[0].expr).selectors.every(({ matchers }) =>
            matchers.some(({ label, value }) => label === "name" && new RegExp(`^(?:${value})$`).test(name)),
          ),
      );
    expect([days("How long are certificates valid?"), names("How long are certificates valid?")]).toEqual([
      [
        ["red", null],
        ["orange", 3],
        ["green", 21],
      ],
      ["nats-server-tls", "nats-route-tls", "nats-client-tls-oms"],
    ]);
    expect([days("How long are the authorities valid?"), names("How long are the authorities valid?")]).toEqual([
      [
        ["red", null],
        ["orange", 90],
        ["green", 180],
      ],
      ["nats-ca", "nats-route-ca"],
    ]);
  });

  test("of copies show mirrors as well, where there are any: the same alerts call for them", () => {
    const copying = (streams: readonly StreamInput[]) =>
      dashboards(modelWith({ streams }))
        .flatMap(({ rows }) => rows)
        .filter(({ title }) => title === "Are copies level with their origins?")
        .flatMap(({ panels }) => panels.map(({ queries }) => queries.map(({ expr }) => expr).join()));
    const copy = { name: "copy", replicas: 3, maxBytes: "1GiB" } as const;
    const [lag, silence] = copying([orders, { ...copy, mirror: { name: "orders" } }]);
    expect(lag).toMatch(
      /nats_stream_source_lag\{.+label_replace\(nats_stream_mirror_lag\{.+"source_name", "\$1", "mirror_name"/,
    );
    expect(silence).toMatch(/nats_stream_mirror_active_duration_ns\{.+ \/ 1e9$/);
    expect(copying([orders, { ...copy, sources: [{ name: "orders" }] }]).join()).not.toContain("mirror");
  });

  test("of streams without a leader ask what the alert asks, so that one that was deleted is there as well", () => {
    const alert = alertsIn(realModel("production")).find(({ alert }) => alert === "NatsStreamWithoutLeader");
    const chosen = '{namespace="$namespace",stream_name=~"$stream"}';
    const [{ expr }] = titled("Which streams have no leader?").targets;
    expect(expr.replaceAll(chosen, "")).toBe(
      `max by (stream_name) (${alert?.expr}) or 0 * max by (stream_name) (stream:nats_stream_replicas:declared)`,
    );
    expect(expr.split(chosen)).toHaveLength(4);
  });

  test("of fullness show the limit of streams that refuse, where there are any", () => {
    const title = "How full are streams that refuse when they are?";
    expect(titled(title)).toBeUndefined();
    const refusing = modelWith({ streams: [{ ...orders, discard: "new" }] });
    const [panel] = dashboards(refusing)
      .flatMap(({ rows }) => rows)
      .flatMap(({ panels }) => panels)
      .filter((panel) => panel.title === title);
    expect(panel?.limits).toEqual([{ alert: "NatsStreamNearlyFull", bad: "above", value: 0.9, severity: "warning" }]);
    expect(panel?.queries.map(({ expr }) => expr)).toEqual([
      expect.stringContaining(`stream_name=~"${orders.name}"`),
      expect.stringContaining("nats_stream_limit_messages"),
    ]);
  });
});
