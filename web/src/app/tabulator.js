// Tabulator with the modules that the report's tables use; all of them would be twice as much.

import Tabulator from 'tabulator-tables/src/js/core/Tabulator.js';
import Accessor from 'tabulator-tables/src/js/modules/Accessor/Accessor.js';
import Download from 'tabulator-tables/src/js/modules/Download/Download.js';
import Edit from 'tabulator-tables/src/js/modules/Edit/Edit.js';
import Export from 'tabulator-tables/src/js/modules/Export/Export.js';
import Filter from 'tabulator-tables/src/js/modules/Filter/Filter.js';
import Format from 'tabulator-tables/src/js/modules/Format/Format.js';
import Page from 'tabulator-tables/src/js/modules/Page/Page.js';
import ResizeColumns from 'tabulator-tables/src/js/modules/ResizeColumns/ResizeColumns.js';
import ResizeTable from 'tabulator-tables/src/js/modules/ResizeTable/ResizeTable.js';
import Sort from 'tabulator-tables/src/js/modules/Sort/Sort.js';

Tabulator.registerModule([Accessor, Download, Edit, Export, Filter, Format, Page, ResizeColumns, ResizeTable, Sort]);

export { Tabulator };
