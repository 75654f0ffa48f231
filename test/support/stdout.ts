/** Commands run in this process, with what they write. */
import { vi } from "vitest";
import type { ExitCode } from "../../src/cli/exit-codes.ts";

/** Runs `command` and gives its exit code and what it wrote to stdout. */
export async function captured(
  command: () => Promise<ExitCode>,
): Promise<{ readonly code: ExitCode; readonly stdout: string }> {
  let stdout = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  try {
    const code = await command();
    return { code, stdout };
  } finally {
    write.mockRestore();
  }
}
