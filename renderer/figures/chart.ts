/** The parts of ECharts that the figures use. SVG: crisp, its text selectable by tests, its styles set by the CSSOM. */
import { BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
} from 'echarts/components';
import { init, use, type EChartsCoreOption, type EChartsType } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([
  BarChart,
  CustomChart,
  HeatmapChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
  SVGRenderer,
]);

export const openChart = (element: HTMLElement): EChartsType => init(element, null, { renderer: 'svg' });

/** ECharts' own `renderToSVGString` has no way to leave out the style sheet for hovering. */
interface SvgPainter {
  renderToString(options: { useViewBox: boolean; cssEmphasis: boolean; cssAnimation: boolean }): string;
}

/** @returns SVG markup of `option`, drawn without a page */
export function drawOffScreen(option: EChartsCoreOption, widthPx: number, heightPx: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: widthPx, height: heightPx });
  try {
    chart.setOption(option);
    const painter = chart.getZr().painter as unknown as SvgPainter;
    return painter.renderToString({ useViewBox: true, cssEmphasis: false, cssAnimation: false });
  } finally {
    chart.dispose();
  }
}
export type { EChartsType };
