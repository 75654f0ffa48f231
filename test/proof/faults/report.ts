/** Figures of a fault for people: they are printed and judged by nobody, as machines differ. */
import type { Lap, Outcome } from "../../../src/proof/load/ledger.ts";
import type { ByRoute } from "../../../src/proof/load/traffic.ts";

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`;

const pauses = (readers: Readonly<Record<string, number>>): string =>
  Object.entries(readers)
    .map(([reader, pause]) => `${reader} ${seconds(pause)}`)
    .join(", ");

/** Prints for how long nothing went while a fault lasted. */
export function reportPauses(fault: string, laps: ByRoute<Lap>): void {
  for (const [route, { longest, total, worstSender, readers }] of Object.entries(laps)) {
    const silence = `no publish for ${seconds(longest)}, in all ${seconds(total)}; one sender for ${seconds(worstSender)}`;
    console.log(`${fault} · ${route}: ${silence}; longest pause of readers: ${pauses(readers)}`);
  }
}

/** Prints what became of the messages of a load. */
export function reportOutcome(load: string, outcomes: ByRoute<Outcome>): void {
  for (const [route, { acknowledged, abandoned, failures, readers }] of Object.entries(outcomes)) {
    const read = Object.entries(readers).map(
      ([reader, { lost, storedTwice, redelivered }]) =>
        `${reader} lost ${lost.length}, twice ${storedTwice.length}, redelivered ${redelivered}`,
    );
    const failed = Object.entries(failures).map(([reason, count]) => `${count} ${reason}`);
    const sent = `${acknowledged} acknowledged, ${abandoned} given up, failed attempts: ${failed.join(", ") || "none"}`;
    console.log(`${load} · ${route}: ${sent}; ${read.join("; ")}`);
  }
}
