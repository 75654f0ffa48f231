/** Figures that benchmarks share. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** @param {readonly number[]} figures */
export const median = (figures) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;

/**
 * Peak of the resident memory of a program and of what it starts, in MiB, sampled every 3 ms. Undefined where there is no /proc.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<number | undefined>}
 */
export async function peakMemory(program, args, options) {
  const child = spawn(program, args, { ...options, stdio: "ignore" });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentKiB(child.pid ?? 0));
  }, 3);
  await new Promise((done) => child.once("close", done));
  clearInterval(timer);
  return peak > 0 ? peak / 1024 : undefined;
}

/** @param {number} pid @returns {number} */
function residentKiB(pid) {
  try {
    const own = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    return Number(own ?? 0) + children.reduce((sum, child) => sum + residentKiB(Number(child)), 0);
  } catch {
    // It has ended in between.
    return 0;
  }
}

/**
 * Rows under their headings; all columns but the first are figures and stand on the right.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
export function table(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("   "),
    )
    .join("\n");
}
