/** Documents as files that only their owner can read: for a throw-away cluster and for tests. */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type SecretStore, StoreFailure } from "../identity/store.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** A folder with one file a document. */
export function folderStore(folder: string): SecretStore {
  const fileOf = (id: string): string => join(folder, `${id}.json`);
  return {
    title: folder,
    read: (id) =>
      guarded(`reading ${fileOf(id)}`, async () => {
        await refuseShared(folder);
        const text = await unlessMissing(readFile(fileOf(id), "utf8"));
        if (text !== undefined) await refuseShared(fileOf(id));
        return text;
      }),
    write: (id, text) => guarded(`writing ${fileOf(id)}`, () => writePrivately(folder, `${id}.json`, text)),
    writtenAt: (id) => guarded(`reading ${fileOf(id)}`, async () => (await unlessMissing(stat(fileOf(id))))?.mtime),
  };
}

/** Writes a file that nobody but its owner can read, at no moment. @throws StoreFailure for a folder that others can enter */
export async function writePrivately(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  await refuseShared(folder);
  const fresh = join(folder, `.${randomUUID()}`);
  try {
    const file = await open(fresh, "wx", PRIVATE_FILE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(fresh, PRIVATE_FILE);
    await rename(fresh, join(folder, name));
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** @throws StoreFailure for what group or others may read */
async function refuseShared(path: string): Promise<void> {
  const entry = await unlessMissing(stat(path));
  if (!entry || (entry.mode & 0o077) === 0) return;
  const mode = entry.isDirectory() ? "700" : "600";
  throw new StoreFailure(
    `${path} can be read by others than you. Run \`chmod ${mode} ${path}\`, and replace what was in it.`,
  );
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StoreFailure) throw cause;
    throw new StoreFailure(`${doing}: ${(cause as Error).message}. Check the folder and your rights.`, { cause });
  }
}
