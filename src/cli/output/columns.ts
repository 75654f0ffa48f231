/** Lines of `rows` with their cells aligned, each behind `indent`. Columns without any content are left out. */
export function columns(rows: readonly (readonly string[])[], indent: string): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).filter((_, i) => widths[i] !== 0);
    return (indent + cells.join("  ")).trimEnd();
  });
}
