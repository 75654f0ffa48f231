/** Parts of a comment on a pull request. */

export interface Section {
  /** What the first line says, by which a pipeline finds what it wrote last time. */
  readonly marker: string;
  /** With the summary: all that is seen of a folded section. */
  readonly title: string;
  /** Lines that begin with +, -, ~ or !. Without any there is nothing to fold. */
  readonly body: string;
  readonly label: string;
  /** Whether it is unfolded at first. @default false */
  readonly open?: boolean;
}

export const markdownSection = ({ marker, title, body, label, open = false }: Section): string =>
  [
    `<!-- circl ${marker} -->`,
    `### ${title}`,
    ...(body === ""
      ? []
      : [
          `<details${open ? " open" : ""}><summary>${label}</summary>`,
          "",
          "```diff",
          // Diff colours know + and - alone; ~ and ! would stay grey.
          body.replace(/^~/gm, "!"),
          "```",
          "</details>",
        ]),
  ].join("\n");
