"""Our own words, from which keywords and messages are made: the same for both sides of every comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

__all__ = ["PROBLEM_LISTS", "THINGS", "THINGS_ZH", "keywords", "problems", "topics"]

THINGS: Sequence[str] = """
suitcase backpack handbag ticket receipt voucher invoice booking upgrade seat window aisle table blanket pillow headset
screen charger socket light meal salad sandwich coffee juice water wine breakfast dinner snack lounge shower gate desk
kiosk counter queue shuttle bus train taxi platform terminal corridor elevator wheelchair stroller crib toy jacket scarf
glove boot hat umbrella camera lens laptop tablet phone keyboard mouse printer cable adapter battery lamp kettle mug
plate bottle jar tray oven fridge heater fan carpet curtain sofa bed mattress towel robe slipper soap razor brush comb
vase clock watch bracelet ring necklace wallet passbook card statement points bonus discount refill parcel letter
""".split()
PROBLEMS: Sequence[str] = """
missing shattered vanished cracked leaking scratched mouldy dented soaked sticky stained torn bent burst jammed frayed
wrecked misplaced mislabelled misrouted unusable undelivered unopened unpaid unlisted overbooked overpriced oversized
outdated expired faulty defective useless worthless flimsy rusty greasy dusty smelly creaky wobbly lopsided crooked
blurry garbled frozen stuck blocked locked lost
""".split()
THINGS_ZH: Sequence[str] = """
行李箱 背包 手提包 机票 收据 代金券 发票 订单 升舱 座位 窗户 过道 小桌板 毛毯 枕头 耳机 屏幕 充电器 插座 阅读灯
餐食 沙拉 三明治 咖啡 果汁
矿泉水 红酒 早餐 晚餐 零食 休息室 淋浴间 登机口 服务台 自助机 柜台 队伍 摆渡车 大巴 列车 出租车 站台 航站楼 走廊
电梯 轮椅 婴儿车 婴儿床 玩具
外套 围巾 手套 靴子 帽子 雨伞 相机 镜头 电脑 平板 手机 键盘 鼠标 打印机 数据线 转换头 电池 台灯 水壶 马克杯 盘子
瓶子 罐子 托盘 烤箱 冰箱
暖气 风扇 地毯 窗帘 沙发 床铺 床垫 毛巾 浴袍 拖鞋 香皂 剃须刀 刷子 梳子 镜子 闹钟 手表 手环 戒指 领带 钱包 存折
卡片 账单 积分 奖励 折扣
""".split()
PROBLEMS_ZH: Sequence[str] = """
不见了 碎了 消失了 裂开了 漏水了 刮花了 发霉了 凹进去了 泡湿了 发黏了 弄脏了 撕破了 弯掉了 爆开了 卡死了 磨破了
报废了 放错了 贴错了 送错了
用不了 没送到 打不开 没付上 没列出 超售了 太贵了 太大了 过时了 过期了 有毛病 有缺陷 没用处 不值钱 太单薄 生锈了
油腻腻 全是灰 有怪味 吱吱响
晃得厉害 歪掉了 斜了 模糊了 乱码了 冻住了 堵住了 锁死了 停了 丢了
""".split()

PROBLEM_LISTS = 8


def topics(count: int) -> tuple[Sequence[str], Sequence[str]]:
    """The first `count` things in English and as many in Chinese: words that hit often and route nothing alone."""
    return THINGS[: count // 2], THINGS_ZH[: count // 2]


def _pairs(first: Sequence[str], second: Sequence[str]) -> Iterator[tuple[str, str]]:
    """All pairs, so ordered that the first few already use many words of either kind."""
    for shift in range(len(second)):
        for at, one in enumerate(first):
            yield one, second[(at + shift) % len(second)]


def problems(count: int) -> tuple[Sequence[str], Sequence[str]]:
    """`count` phrases that mean trouble, half English, half Chinese."""
    english = [f"{problem} {thing}" for thing, problem in islice(_pairs(THINGS, PROBLEMS), count // 2)]
    chinese = [f"{thing}{problem}" for thing, problem in islice(_pairs(THINGS_ZH, PROBLEMS_ZH), count // 2)]
    return english, chinese


def keywords(count: int) -> list[str]:
    """What the plain script looks for: the same entries that `benchmarks.care` puts into the file."""
    often = min(count // 5, 190)
    return [word for language in (*topics(often), *problems(count - often)) for word in language]
