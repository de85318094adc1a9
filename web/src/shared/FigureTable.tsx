// The figures behind a chart.
import { makeStyles, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow } from '@fluentui/react-components';
import type { Figures } from './ChartFrame';

const useStyles = makeStyles({
  frame: { overflowX: 'auto', maxHeight: '320px', overflowY: 'auto' },
  cell: { fontVariantNumeric: 'tabular-nums' },
});

export default function FigureTable({ label, figures }: { label: string; figures: Figures }) {
  const styles = useStyles();
  return (
    <div className={styles.frame} tabIndex={0} role="group" aria-label={label}>
      <Table size="extra-small" aria-label={label}>
        <TableHeader>
          <TableRow>
            {figures.columns.map((column) => (
              <TableHeaderCell key={column}>{column}</TableHeaderCell>
            ))}
          </TableRow>
        </TableHeader>
        <TableBody>
          {figures.rows.map((row) => (
            <TableRow key={row.key}>
              {row.cells.map((cell, index) => (
                <TableCell key={index} className={styles.cell}>
                  {cell}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
