/** Dashboards in Grafana's own JSON: the same bytes for the same data, keys sorted, nothing that Grafana would add by itself. */
import type { Dashboard, Panel, Variable } from "./dashboard.ts";
import { uidOf } from "./dashboard.ts";
import type { Limit } from "./limit.ts";

/** Of Grafana 10.4; later ones take it and migrate it when it is opened. */
const SCHEMA_VERSION = 39;
/** Columns that Grafana divides a dashboard into. */
const COLUMNS = 24;
const HEIGHTS = { stat: 4, series: 8, table: 8 } as const;

type Json = { readonly [key: string]: unknown };

/** Chosen at the top: one Grafana may know several Prometheus servers. */
const DATASOURCE = { type: "prometheus", uid: "$datasource" } as const;

/** @param namespace of the environment, chosen until somebody chooses another */
export function renderDashboard(dashboard: Dashboard, environment: string, namespace: string): string {
  const json = {
    uid: uidOf(dashboard, environment),
    title: `Circl ${environment}: ${dashboard.title}`,
    description: dashboard.description,
    tags: ["circl", environment],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-3h", to: "now" },
    timezone: "",
    // All dashboards of this environment, in every one of them.
    links: [
      {
        type: "dashboards",
        tags: ["circl", environment],
        title: "Circl",
        icon: "dashboard",
        tooltip: "",
        asDropdown: false,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
      },
    ],
    templating: { list: templating(dashboard, namespace) },
    annotations: { list: [] },
    panels: placed(dashboard),
  };
  return `${JSON.stringify(sorted(json), null, 2)}\n`;
}

const templating = ({ series, variables }: Dashboard, namespace: string): Json[] => [
  { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus", hide: 0 },
  {
    ...choice({ name: "namespace", label: "Namespace", series, valuesOf: "namespace" }),
    current: { text: namespace, value: namespace, selected: true },
  },
  ...variables.map((variable) => ({
    ...choice({ ...variable, series: `${variable.series}{namespace="$namespace"}` }),
    includeAll: true,
    multi: true,
    // One expression for all of them, instead of a list that outgrows a URL.
    allValue: ".+",
    current: { text: "All", value: "$__all", selected: true },
  })),
];

const choice = ({ name, label, series, valuesOf }: Variable): Json => ({
  name,
  label,
  type: "query",
  datasource: DATASOURCE,
  query: { query: `label_values(${series}, ${valuesOf})`, refId: name },
  // Whenever the time range changes: streams and pods come and go.
  refresh: 2,
  sort: 1,
  hide: 0,
});

/** Panels row by row. Ids count from 1: alerts and links name them. */
function placed({ rows }: Dashboard): Json[] {
  const panels: Json[] = [];
  let y = 0;
  for (const { title, panels: own } of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y += 1;
    const w = Math.floor(COLUMNS / own.length);
    const h = Math.max(...own.map(({ kind }) => HEIGHTS[kind]));
    for (const [i, panel] of own.entries()) {
      panels.push({ id: panels.length + 1, gridPos: { x: i * w, y, w, h }, ...panelJson(panel) });
    }
    y += h;
  }
  return panels;
}

function panelJson(panel: Panel): Json {
  const { kind, title, description, unit, queries, belowZero = false, limits = [] } = panel;
  const calls = limits.length > 0 ? `\n\nCalls: ${[...new Set(limits.map(({ alert }) => alert))].join(", ")}.` : "";
  const thresholds = { mode: "absolute", steps: steps(panel) };
  const defaults = { unit, ...(belowZero ? {} : { min: 0 }), thresholds };
  const common = {
    title,
    description: description + calls,
    datasource: DATASOURCE,
    // Servers are scraped every 30 s: shorter steps would show rates of nothing.
    interval: "30s",
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode(65 + i),
      expr,
      legendFormat: legend,
      ...(kind === "table" ? { format: "table" } : {}),
      ...(kind === "series" ? { range: true } : { instant: true }),
    })),
  };
  switch (kind) {
    case "stat":
      return {
        ...common,
        type: "stat",
        fieldConfig: { defaults: { ...defaults, color: { mode: "thresholds" }, noValue: "no data" }, overrides: [] },
        options: {
          colorMode: limits.length > 0 ? "background" : "none",
          graphMode: "none",
          reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
          textMode:
            queries.length > 1 || queries.some(({ legend }) => legend.includes("{{")) ? "value_and_name" : "value",
        },
      };
    case "series":
      return {
        ...common,
        type: "timeseries",
        fieldConfig: {
          defaults: {
            ...defaults,
            color: { mode: "palette-classic" },
            custom: {
              fillOpacity: 10,
              showPoints: "never",
              thresholdsStyle: { mode: limits.length > 0 ? "dashed" : "off" },
            },
          },
          overrides: [],
        },
        options: {
          legend: { calcs: ["lastNotNull", "max"], displayMode: "table", placement: "bottom", showLegend: true },
          tooltip: { mode: "multi", sort: "desc" },
        },
      };
    case "table":
      return {
        ...common,
        type: "table",
        fieldConfig: { defaults, overrides: [] },
        options: { showHeader: true },
        // Every row is there now, with the value 1.
        transformations: [{ id: "organize", options: { excludeByName: { Time: true, Value: true } } }],
      };
  }
}

const COLOURS = { critical: "red", warning: "orange" } as const;

/** What Prometheus extrapolates: 2.1 of something. */
const EXTRAPOLATED = /\b(?:increase|rate)\(/;

/**
 * Grafana colours from each step upwards: what is bad below a value is the colour of the step before it, and a count that is
 * bad above a value is bad from the next one on.
 */
function steps({ limits = [], unit, queries }: Panel): Json[] {
  const isWhole = unit === "short" && !queries.some(({ expr }) => EXTRAPOLATED.test(expr));
  const ascending = strictest(limits).toSorted((a, b) => a.value - b.value);
  const below = ascending.filter(({ bad }) => bad === "below");
  const above = ascending.filter(({ bad }) => bad !== "below");
  const next = ({ bad, value }: Limit) => (bad === "above" && isWhole ? value + 1 : value);
  const colours = [
    ...below.map(({ severity }) => COLOURS[severity]),
    "green",
    ...above.map(({ severity }) => COLOURS[severity]),
  ];
  const values = [null, ...below.map(({ value }) => value), ...above.map(next)];
  return colours.map((color, i) => ({ color, value: values[i] ?? null }));
}

/** Of several alerts with the same limit one colour: the worst. */
function strictest(limits: readonly Limit[]): Limit[] {
  const worst = new Map<string, Limit>();
  for (const limit of limits) {
    const key = `${limit.bad} ${limit.value}`;
    if (limit.severity === "critical" || !worst.has(key)) worst.set(key, limit);
  }
  return [...worst.values()];
}

/** Keys in one order, at every depth; lists keep theirs. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
