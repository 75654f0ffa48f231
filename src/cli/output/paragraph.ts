import { visible } from "./visible.ts";

/** `text` broken at spaces into lines of `width`; the first line starts with `lead`, the others are indented as far. */
export function paragraph(lead: string, text: string, width: number): string {
  const indent = " ".repeat(lead.length);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).map(visible)) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((content, i) => (i === 0 ? lead : indent) + content).join("\n");
}
