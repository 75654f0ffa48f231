/** Every link between the pages leads somewhere: to a file that is there, to a heading that it has. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = execFileSync("git", ["ls-files", "*.md", "--cached", "--others", "--exclude-standard"], { cwd: root })
  .toString()
  .trim()
  .split("\n")
  .filter((page) => existsSync(join(root, page)));

/** A heading's anchor as GitHub makes it. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (page: string): readonly string[] =>
  [...readFileSync(join(root, page), "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchor(heading));

const brokenLinks = (page: string, text: string): readonly string[] =>
  [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)/g)]
    .filter(([, path = "", heading = ""]) => {
      const target = path === "" ? page : join(dirname(page), path);
      return !existsSync(join(root, target)) || (heading !== "" && !anchorsOf(target).includes(heading));
    })
    .map(([link]) => `${page}: ${link}`);

test("no page links to what is not there", () => {
  expect(pages).toContain("README.md");
  expect(pages.flatMap((page) => brokenLinks(page, readFileSync(join(root, page), "utf8")))).toEqual([]);
});

test("a missing file and a missing heading would be found", () => {
  const text = "[a](docs/nothing.md) [b](docs/security.md#nothing) [c](#tests) [d](bin/circl) [e](https://nats.io/x)";
  expect(brokenLinks("README.md", text)).toEqual([
    "README.md: ](docs/nothing.md)",
    "README.md: ](docs/security.md#nothing)",
  ]);
});
