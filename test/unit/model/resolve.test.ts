import { expect, test } from "vitest";
import { resolveModel } from "../../../src/model/resolve.ts";
import { faultProblems } from "../../../src/rules/shape.ts";
import { modelWith, orders, realDefinitions, realModel } from "../../support/definitions.ts";

/** Definitions that did not go through the compiler. */
const unchecked = (value: unknown) => value as never;

test("all faults are reported at once, with place and way out", () => {
  const { model, faults } = resolveModel("production", {
    ...realDefinitions,
    environments: {
      production: [
        ...(realDefinitions.environments.production ?? []),
        unchecked({ nats: { memry: "1GiB", servers: "3", volume: { size: "20GB" } }, certificates: "letsencrypt" }),
      ],
    },
    streams: { test: [unchecked({ ...orders, maxByte: 1, in: { staging: { replica: 1 } } })] },
    services: { oms: unchecked({ description: "orders", tile83: "read" }) },
  });
  expect(model).toBeUndefined();
  expect(
    faultProblems(faults)
      .map(({ code, place, says, hint }) => `${code} ${place} ${says} | ${hint}`)
      .sort(),
  ).toEqual([
    'E001 environments/production.ts: nats.memry does not exist | Did you mean "memory"?',
    'E002 environments/production.ts: certificates is "letsencrypt", expected "cert-manager" or "none" | ' +
      'Durations read "30s" or "7d", sizes "512KiB" or "20GiB", rates "200/s".',
    'E002 environments/production.ts: nats.servers is "3", expected a whole number of at least 1 | ' +
      'Durations read "30s" or "7d", sizes "512KiB" or "20GiB", rates "200/s".',
    'E002 environments/production.ts: nats.volume.size is "20GB", expected a size such as "512KiB" or "20GiB" | ' +
      'Durations read "30s" or "7d", sizes "512KiB" or "20GiB", rates "200/s".',
    'S001 streams/services.ts: oms.tile83 does not exist | Did you mean "tile38"?',
    'S001 streams/test.ts: orders.in.staging.replica does not exist | Did you mean "replicas"?',
    'S001 streams/test.ts: orders.maxByte does not exist | Did you mean "maxBytes"?',
  ]);
});

test("what Kubernetes would refuse is refused here, in the file that says it", () => {
  const base = { ...realDefinitions.environments.production?.[0], kubernetes: { resolvers: ["169.254.20.10"] } };
  const layers = [
    ...(realDefinitions.environments.production ?? []),
    { tile38: { shrink: { schedule: "hourly please" } } },
  ];
  const said = (list: readonly object[]) =>
    resolveModel("production", { ...realDefinitions, environments: { production: list as never } }).faults.map(
      ({ place, says }) => `${place} ${says}`,
    );
  expect(said([base, realDefinitions.environments.production?.[1] ?? {}])).toContain(
    'environments/base.ts: kubernetes.resolvers[0] is "169.254.20.10", expected a CIDR such as "10.0.0.10/32"',
  );
  expect(said(layers)).toEqual([
    'environments/production.ts: tile38.shrink.schedule is "hourly please", expected five cron fields such as "17 * * * *"',
  ]);
  expect(
    said([...(realDefinitions.environments.production ?? []), { monitoring: { runbooks: "docs/runbooks/" } }]),
  ).toEqual([
    'environments/production.ts: monitoring.runbooks is "docs/runbooks/", expected a URL without "/" at its end',
  ]);
});

test("a setting that nobody made is missing, not undefined", () => {
  const { faults } = resolveModel("empty", { ...realDefinitions, environments: { empty: [{ name: "empty" }] } });
  expect(faults.map(({ place, says }) => `${place} ${says}`)).toContain("environments/empty.ts: nats is missing");
});

test("an environment takes the figures of its own name or of the one it names", () => {
  const figures = (name: "staging" | "production" | "local") =>
    realModel(name).streams.map((stream) => [stream.name, stream.replicas, stream.maxMsgs]);
  expect(figures("production")[0]).toEqual(["circl_iot", 3, 1_000_000]);
  expect(figures("staging")[0]).toEqual(["circl_iot", 1, 100_000]);
  expect(figures("local")).toEqual(figures("staging"));
});

test("whoever consumes a stream may publish its failures", () => {
  const dlq = realModel("production").streams.find(({ name }) => name === "circl_dlq");
  expect(
    dlq?.publishers.map(({ service, subject, deadLettersOf }) => `${service} ${subject} (${deadLettersOf})`),
  ).toEqual([
    "iot circl.dlq.iot.> (circl_iot)",
    "bff circl.dlq.iot.> (circl_iot)",
    "dms circl.dlq.iot.> (circl_iot_location)",
    "bff circl.dlq.iot.> (circl_iot_location)",
    "geo circl.dlq.iot.> (circl_iot_location)",
    "oms circl.dlq.oms.> (circl_oms)",
    "dms circl.dlq.oms.> (circl_oms)",
    "bff circl.dlq.oms.> (circl_oms)",
  ]);
});

test("the model cannot be changed", () => {
  const model = modelWith({});
  expect(() => {
    (model.environment.nats as { servers: number }).servers = 1;
  }).toThrow(TypeError);
});
