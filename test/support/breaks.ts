/** Something breaks and is mended: what Prometheus calls for meanwhile, to the last alert, and what people hear of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Alertmanager } from "./alertmanager.ts";
import type { Prometheus } from "./prometheus.ts";

/** Alerts that may come and go on the way, each with its reason: in time-lapse patience shrinks, and what servers need does not. */
export type Passing = Readonly<Record<string, string>>;

export interface Break {
  /** What must fire, all of it at one time. */
  readonly fires: readonly string[];
  /** What is left when Alertmanager has applied the rules of docs/alerts.md. @default all of `fires` */
  readonly heard?: readonly string[];
  /** @default nothing else may */
  readonly passing?: Passing;
  readonly breaks: () => Promise<void>;
  /** What holds while it is broken. */
  readonly meanwhile?: () => Promise<void>;
  /** Without it nothing is mended. */
  readonly heals?: () => Promise<void>;
}

/** @throws where something of `fires` does not come within three minutes, or anything comes that is not named */
export async function breaking(
  prometheus: Prometheus,
  alertmanager: Alertmanager,
  { fires, heard = fires, passing = {}, breaks, meanwhile, heals }: Break,
): Promise<void> {
  const begun = Date.now();
  const expected = [...fires].sort();
  const unnamed = (names: readonly string[]) => names.filter((name) => !(name in passing));
  /** Whatever fired since the beginning, also between two looks. */
  const since = async (): Promise<string[]> => {
    const range = `${Math.max(1, Math.floor((Date.now() - begun) / 1_000))}s`;
    const series = await prometheus.query(
      `group by (alertname) (last_over_time(ALERTS{alertstate="firing"}[${range}]))`,
    );
    return unnamed(series.map(({ metric }) => metric.alertname ?? "")).sort();
  };
  await breaks();
  await until(async () => {
    const firing = await prometheus.alerts("firing");
    return fires.every((name) => firing.includes(name)) || (await since()).some((name) => !fires.includes(name));
  });
  expect(await since()).toEqual(expected);
  await expect
    .poll(async () => unnamed(await names(alertmanager)), { timeout: 30_000, message: "what people hear" })
    .toEqual([...heard].sort());
  await meanwhile?.();
  if (heals) {
    await heals();
    await quiet(prometheus);
  }
  expect(await since()).toEqual(expected);
}

/** Waits until nothing fires or is about to. @throws with what does after three minutes */
export async function quiet(prometheus: Prometheus): Promise<void> {
  const left = async () => [...(await prometheus.alerts("firing")), ...(await prometheus.alerts("pending"))];
  await until(async () => (await left()).length === 0);
  expect(await left()).toEqual([]);
}

const names = async (alertmanager: Alertmanager): Promise<string[]> =>
  [...new Set((await alertmanager.held("active")).map(({ alertname = "" }) => alertname))].sort();

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 900 && !(await holds()); attempt++) await sleep(200);
}
