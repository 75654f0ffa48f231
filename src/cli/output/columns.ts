import { visible } from "./visible.ts";

/** Lines of `rows` with their cells aligned, each behind `indent`: one line a row, whatever a cell says. Columns without any content are left out. */
export function columns(content: readonly (readonly string[])[], indent: string): string[] {
  const rows = content.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).filter((_, i) => widths[i] !== 0);
    return (indent + cells.join("  ")).trimEnd();
  });
}
