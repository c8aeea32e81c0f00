/** Rows under the names of their columns, figures to the right. A table that is wider than the page scrolls by itself. */
import type { ReactNode } from "react";
import { Scroll } from "./Scroll.tsx";

export type Column<Row> = {
  readonly name: string;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumber?: boolean;
};

export function Table<Row>(props: {
  /** For whoever cannot see what stands above it. */
  readonly label: string;
  readonly caption?: string | null;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
}) {
  const classOf = ({ isNumber }: Column<Row>) => (isNumber ? { className: "number" } : {});
  return (
    <Scroll label={props.label}>
      <table>
        {props.caption && <caption>{props.caption}</caption>}
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.name} scope="col" {...classOf(column)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.keyOf(row)}>
              {props.columns.map((column) => (
                <td key={column.name} {...classOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
