import { describe, expect, test } from "vitest";
import { problemsOf, type ServerState } from "../../../src/proof/cluster.ts";

const names = ["a", "b", "c"];
const state = (name: string, change: Partial<ServerState> = {}): ServerState => ({
  name,
  peers: names.filter((other) => other !== name),
  tls: true,
  meta: { leader: "b", cluster_size: 3 },
  ...change,
});
const [a, b, c] = [state("a"), state("b"), state("c")];

describe("servers are one cluster", () => {
  test("where all have routes to all others under TLS, and agree on a leader", () => {
    expect(problemsOf([a, b, c], 3, true)).toEqual([]);
    expect(problemsOf([state("a", { peers: [], tls: false, meta: undefined })], 1, true)).toEqual([]);
    expect(problemsOf([a, b, state("c", { tls: false })], 3, false)).toEqual([]);
  });

  test.each<[string, readonly ServerState[]]>([
    ["2 of 3 servers are ready: a, b", [a, b]],
    ["c has no route to a", [a, b, state("c", { peers: ["b"] })]],
    ["c takes routes without TLS of both sides", [a, b, state("c", { tls: false })]],
    ["c counts 4 servers where there are 3", [a, b, state("c", { meta: { leader: "b", cluster_size: 4 } })]],
    ["servers name b, c as meta leader", [a, b, state("c", { meta: { leader: "c", cluster_size: 3 } })]],
    ["servers name none as meta leader", names.map((name) => state(name, { meta: { cluster_size: 3 } }))],
    ["servers name z as meta leader", names.map((name) => state(name, { meta: { leader: "z", cluster_size: 3 } }))],
  ])("and not where %s", (problem, states) => {
    expect(problemsOf(states, 3, true)).toEqual([problem]);
  });
});
