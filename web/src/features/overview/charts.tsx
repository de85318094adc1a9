// The drawn part of the charts; loaded when one is shown. Colours come from the theme, so that dark and high contrast hold here too.
import { tokens } from '@fluentui/react-components';
import { Bar, BarChart, CartesianGrid, LabelList, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Coverage, TrendPoint } from '@/api/schema';
import { t } from '@/messages';
import { exactTime, percent, shortDate } from '@/shared/format';

const LINES = [tokens.colorBrandForeground1, tokens.colorPaletteMarigoldForeground2, tokens.colorPalettePurpleForeground2, tokens.colorPaletteTealForeground2, tokens.colorPaletteCranberryForeground2];
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '4 4'];

const axis = { stroke: tokens.colorNeutralStroke1, tick: { fill: tokens.colorNeutralForeground3, fontSize: 12 }, tickLine: false } as const;
const bubble = {
  contentStyle: { background: tokens.colorNeutralBackground1, border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: 4, color: tokens.colorNeutralForeground1 },
  labelStyle: { color: tokens.colorNeutralForeground2 },
  cursor: { stroke: tokens.colorNeutralStroke1, fill: tokens.colorNeutralBackground1Hover },
} as const;

export function TrendLines({ trend, name, height }: { trend: TrendPoint[]; name: (series: string) => string; height: number }) {
  // In the order of the legend, so that a series keeps its colour from visit to visit.
  const ids = [...new Set(trend.map((point) => point.series))].sort((a, b) => name(a).localeCompare(name(b)));
  const rows = trend.map((point) => ({ at: Date.parse(point.at), [point.series]: point.posture }));
  const times = rows.map((row) => Number(row.at));
  const [from = 0, to = 0] = [Math.min(...times), Math.max(...times)];
  const spread = Array.from({ length: 5 }, (_, step) => from + ((to - from) * step) / 4);
  // Days are named once, however short the time.
  const ticks = spread.filter((tick, index) => shortDate(tick) !== shortDate(spread[index - 1] ?? NaN));
  const low = Math.min(...trend.map((point) => point.posture));
  const ends = ids.map((id) => trend.findLast((point) => point.series === id)!);
  // Two lines that end at the same place share it: one is named above its mark, the other below.
  const below = ends.map((end, index) => ends.some((other, at) => at !== index && other.at === end.at && other.posture - end.posture < 0.08 && (other.posture > end.posture || (other.posture === end.posture && at < index))));
  return (
    <ResponsiveContainer width="100%" height={height}>
      <LineChart data={rows} margin={{ top: 16, right: 24, bottom: 0, left: -8 }} accessibilityLayer aria-label={t.overview.trend}>
        <CartesianGrid stroke={tokens.colorNeutralStroke2} vertical={false} />
        <XAxis {...axis} dataKey="at" type="number" scale="time" domain={['dataMin', 'dataMax']} ticks={ticks} interval="preserveStartEnd" tickFormatter={shortDate} minTickGap={24} />
        <YAxis {...axis} axisLine={false} domain={[Math.max(0, Math.floor(low * 10 - 1) / 10), 1]} tickFormatter={percent} tickCount={5} />
        <Tooltip {...bubble} labelFormatter={(at) => exactTime(new Date(Number(at)).toISOString())} formatter={(value) => percent(Number(value))} />
        {ids.length > 1 && <Legend iconType="plainline" formatter={(value) => <span style={{ color: tokens.colorNeutralForeground2 }}>{value}</span>} />}
        {ids.map((id, index) => {
          const color = LINES[index % LINES.length];
          const last = trend.findLastIndex((point) => point.series === id);
          return (
            <Line key={id} type="monotone" dataKey={id} name={name(id)} stroke={color} strokeWidth={2} strokeDasharray={DASHES[index % DASHES.length]} dot={{ r: 3, fill: color, strokeDasharray: '' }} connectNulls isAnimationActive={false}>
              <LabelList
                dataKey={id}
                content={({ x, y, index: at, value }) =>
                  at === last ? (
                    <text x={Number(x)} y={Number(y) + (below[index] ? 18 : -8)} textAnchor={Number(x) < 80 ? 'start' : 'end'} fontSize={12} fontWeight={600} fill={tokens.colorNeutralForeground1}>
                      {percent(Number(value))}
                    </text>
                  ) : null
                }
              />
            </Line>
          );
        })}
      </LineChart>
    </ResponsiveContainer>
  );
}

const PARTS = [
  { key: 'passed', name: t.overview.passed, color: tokens.colorPaletteGreenBackground3 },
  { key: 'failing', name: t.overview.failingWord, color: tokens.colorPaletteRedBackground3 },
  { key: 'skipped', name: t.overview.skipped, color: tokens.colorNeutralForegroundDisabled },
  { key: 'unknown', name: t.overview.unknown, color: tokens.colorPaletteMarigoldBackground3 },
] as const;

export function CoverageBars({ coverage, height }: { coverage: Coverage[]; height: number }) {
  const rows = coverage.map((row) => ({ ...row, product: `${t.products[row.product]} (${row.passed + row.failing + row.skipped + row.unknown})` }));
  return (
    <ResponsiveContainer width="100%" height={height}>
      <BarChart data={rows} layout="vertical" margin={{ top: 0, right: 16, bottom: 0, left: 0 }} barCategoryGap={8} stackOffset="expand" accessibilityLayer aria-label={t.overview.coverage}>
        <XAxis type="number" hide domain={[0, 1]} />
        <YAxis {...axis} type="category" dataKey="product" width={148} axisLine={false} interval={0} />
        <Tooltip {...bubble} />
        <Legend iconType="square" iconSize={10} itemSorter={null} formatter={(value) => <span style={{ color: tokens.colorNeutralForeground2 }}>{value}</span>} />
        {PARTS.map((part) => (
          <Bar key={part.key} dataKey={part.key} name={part.name} stackId="all" fill={part.color} stroke={tokens.colorNeutralBackground1} isAnimationActive={false} />
        ))}
      </BarChart>
    </ResponsiveContainer>
  );
}
