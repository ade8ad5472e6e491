/** Draws a figure with ECharts itself, without a browser, and looks at what came out. */
import * as echarts from 'echarts';
import type { ChartFrame, Figure } from '../../../renderer/figures/figure.ts';
import { lightCharts } from '../../../renderer/figures/palette.ts';

export const frame: ChartFrame = { theme: lightCharts, widthPx: 1200 };

export interface DrawnSeries {
  type: string;
  name: string;
  color: string;
  xAxisIndex: number;
  data: { value: (number | string)[]; tip: string }[];
  markArea?: { data: { xAxis: number; name?: string }[][] };
  markLine?: { data: { xAxis: number; label: { formatter: string } }[] };
}

export function seriesOf(figure: Figure | null): DrawnSeries[] {
  if (figure === null) throw new Error('There is no figure.');
  return (figure.option as { series: DrawnSeries[] }).series;
}

/** The figure as SVG text. @throws when ECharts cannot draw it */
export function svgOf(figure: Figure, widthPx = frame.widthPx): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: widthPx, height: figure.heightPx });
  chart.setOption(figure.option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
