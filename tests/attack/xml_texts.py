"""XML that nobody honest sends: by name, what makes the document, and the code with which the gate refuses it.

`{file}` and `{url}` become a file and an address of this machine that nobody may look at.
"""

from __future__ import annotations

MIB = 1 << 20
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def entities(levels: int, times: int) -> str:
    """Entities made of entities."""
    inner = '<!ENTITY e0 "lol">'
    for level in range(1, levels):
        inner += f'<!ENTITY e{level} "{f"&e{level - 1};" * times}">'
    return f"<!DOCTYPE a [{inner}]><a>&e{levels - 1};</a>"


DOCTYPE: dict[str, str] = {
    "entity": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "billion laughs": entities(10, 10),
    "quadratic": '<!DOCTYPE a [<!ENTITY b "' + "x" * 50_000 + '">]><a>' + "&b;" * 10_000 + "</a>",
    "entity in itself": '<!DOCTYPE a [<!ENTITY b "&b;">]><a>&b;</a>',
    "file": '<!DOCTYPE a [<!ENTITY b SYSTEM "file://{file}">]><a>&b;</a>',
    "file without scheme": '<!DOCTYPE a [<!ENTITY b SYSTEM "{file}">]><a>&b;</a>',
    "address": '<!DOCTYPE a [<!ENTITY b SYSTEM "{url}">]><a>&b;</a>',
    "address by FTP": '<!DOCTYPE a [<!ENTITY b SYSTEM "ftp://127.0.0.1/x">]><a>&b;</a>',
    "devices": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///dev/zero">]><a>&b;</a>',
    "PHP filter": '<!DOCTYPE a [<!ENTITY b SYSTEM "php://filter/read=convert.base64-encode/resource={file}">]><a>&b;</a>',
    "parameter entity": '<!DOCTYPE a [<!ENTITY % b SYSTEM "{url}">%b;]><a/>',
    "out of band": '<!DOCTYPE a [<!ENTITY % f SYSTEM "file://{file}"><!ENTITY % d SYSTEM "{url}">%d;]><a/>',
    "external subset": '<!DOCTYPE a SYSTEM "{url}"><a/>',
    "public subset": '<!DOCTYPE a PUBLIC "-//W3C//DTD XHTML 1.0//EN" "{url}"><a/>',
    "subset of a file": '<!DOCTYPE a SYSTEM "{file}"><a/>',
    "default attribute": '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>',
    "notation": '<!DOCTYPE a [<!NOTATION n SYSTEM "{url}">]><a/>',
    "doctype alone": "<!DOCTYPE a><a/>",
    "doctype behind 100 kB of remark": "<!-- " + "x" * 100_000 + " --><!DOCTYPE a><a/>",
    "doctype inside": "<a><!DOCTYPE b></a>",
    "entity alone": '<a><!ENTITY b "c"></a>',
}
SYNTAX: dict[str, str] = {
    "not closed": "<a><b></a>",
    "half": "<a",
    "two roots": "<a/><a/>",
    "words before": "words<a/>",
    "words behind": "<a/>words",
    "attribute twice": '<a b="1" b="2"/>',
    "attribute without quotes": "<a b=1/>",
    "unknown prefix": "<x:a/>",
    "unknown entity": "<a>&b;</a>",
    "character NUL": "<a>&#0;</a>",
    "character beyond Unicode": "<a>&#x110000;</a>",
    "surrogate by number": "<a>&#xD800;</a>",
    "control by number": "<a>&#7;</a>",
    "two hyphens in a remark": "<a><!-- -- --></a>",
    "remark not closed": "<a><!-- </a>",
    "CDATA not closed": "<a><![CDATA[</a>",
    "CDATA's end in a text": "<a>]]></a>",
    "declaration behind": "<a/><?xml version='1.0'?>",
    "declaration twice": f"{_DECLARATION}{_DECLARATION}<a/>",
    "blank before the declaration": f" {_DECLARATION}<a/>",
    "XML 1.1": '<?xml version="1.1"?><a/>',
    "XML 2.0": '<?xml version="2.0"?><a/>',
    "ampersand": "<a>a & b</a>",
    "reserved prefix": '<a xmlns:xmlns="urn:x"/>',
    "prefix xml for another": '<a xmlns:xml="urn:x"/>',
    "JSON": '{"a": 1}',
}
ENCODING: dict[str, bytes] = {
    "UTF-16": "<a/>".encode("utf-16"),
    "UTF-16 big": "<a/>".encode("utf-16-be"),
    "UTF-32": "<a/>".encode("utf-32-be"),
    "UTF-7": b"+/v8 +ADw-a/+AD4-",
    "EBCDIC": '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"),
    "Latin-1 declared": b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>',
    "UTF-7 declared": b'<?xml version="1.0" encoding="UTF-7"?><a/>',
    "unknown encoding": b'<?xml version="1.0" encoding="x-none"?><a/>',
    "Latin-1 not declared": b"<a>\xe9</a>",
    "overlong": b"<a>\xc0\xaf</a>",
    "surrogate in bytes": b"<a>\xed\xa0\x80</a>",
}
LIMIT: dict[str, str] = {
    "65 levels": "<a>" * 65 + "</a>" * 65,
    "300 attributes": "<a " + " ".join(f'b{number}="1"' for number in range(300)) + "/>",
    "1,100 namespaces": "<a>" + "".join(f'<b xmlns:p{number}="urn:{number}"/>' for number in range(1_100)) + "</a>",
    "namespace of 300 kB": f'<x:a xmlns:x="{"n" * 300_000}"><x:b/></x:a>',
    "namespace of 257 characters": f'<a xmlns="{"n" * 257}"/>',
    "namespace of 300 kB, 60,000 times": f'<a xmlns="{"n" * 300_000}">{"<b/>" * 60_000}</a>',
    "name of 129 characters": f"<{'a' * 129}/>",
    "name of 40 kB": f"<{'a' * 40_000}/>",
    "attribute's name of 129 characters": f'<a {"b" * 129}="1"/>',
    "220,000 elements": f"<a>{'<b/>' * 220_000}</a>",
}
DEEP: dict[str, str] = {"depth of 100,000": "<a>" * 100_000 + "</a>" * 100_000}
"""The parser's own limit, or ours on the number of elements, whichever is met first."""
EMPTY: dict[str, str] = {"empty": "", "blanks": " \n\t "}
SPLIT: dict[str, str] = {
    "remark in a value": "<a>B<!-- -->E</a>",
    "remark before a value": "<a><!-- -->BE</a>",
    "instruction in a value": "<a>B<?x?>E</a>",
    "style sheet in a value": '<a>B<?xml-stylesheet href="{url}"?></a>',
}
ROOT: dict[str, str] = {
    "another root": "<a/>",
    "include": '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="file://{file}" parse="text"/></a>',
    "include of an address": '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="{url}"/></a>',
    "schema location": '<a xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:schemaLocation="urn:x {url}"/>',
    "schema without namespace": '<a xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:noNamespaceSchemaLocation="{url}"/>',
    "type of an instance": '<a xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:type="s:anyType" s:nil="true"/>',
    "style sheet": '<?xml-stylesheet type="text/xsl" href="{url}"?><a/>',
    "base": '<a xml:base="{url}"><b href="x"/></a>',
    "XSLT": '<s:stylesheet xmlns:s="http://www.w3.org/1999/XSL/Transform" version="1.0"/>',
    "HTML": "<html><script>alert(1)</script></html>",
    "SVG": '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "text of 900 kB": f"<a>{'x' * 900_000}</a>",
    "CDATA of 900 kB": f"<a><![CDATA[{'<' * 900_000}]]></a>",
    "40,000 children": f"<a>{'<b/>' * 40_000}</a>",
}
BY_CODE: dict[str, dict[str, str]] = {
    "XML_DOCTYPE": DOCTYPE,
    "XML_SYNTAX": SYNTAX,
    "XML_LIMIT": LIMIT,
    "XML_(LIMIT|SYNTAX)": DEEP,
    "XML_EMPTY": EMPTY,
    "XML_SPLIT_VALUE": SPLIT,
}
