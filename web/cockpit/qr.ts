/** The code of an address, as the outline of its dark squares: one path in a drawing of `size` by `size`. */
import qrcode from "qrcode-generator";

/** Light squares that readers want around a code. */
const MARGIN = 4;

/** `address`: plain ASCII, as addresses are. */
export function qrOf(address: string): { readonly path: string; readonly size: number } {
  // M: a seventh of it may be dirty.
  const code = qrcode(0, "M");
  code.addData(address);
  code.make();
  const count = code.getModuleCount();
  const squares: string[] = [];
  for (let row = 0; row < count; row++)
    for (let column = 0; column < count; column++)
      if (code.isDark(row, column)) squares.push(`M${column + MARGIN} ${row + MARGIN}h1v1h-1z`);
  return { path: squares.join(""), size: count + 2 * MARGIN };
}
