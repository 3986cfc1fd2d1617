using System.Buffers.Binary;

namespace ControlPlane.DriverLinux;

/// <summary>
/// Instructions of the kernel's packet machine being written (linux/bpf.h), each eight bytes: operation, registers, jump
/// offset, immediate. Jumps go forward to labels that are set later.
/// Register 0 holds results, 1 the argument (the packet), 6 to 9 survive calls.
/// </summary>
sealed class BpfCode
{
    /// <summary>Fields of struct __sk_buff: offsets in bytes.</summary>
    public const short Length = 0;
    public const short Protocol = 16;
    public const short VlanPresent = 20;
    public const short VlanTci = 24;
    public const short VlanProtocol = 28;
    public const short SegmentBytes = 176;

    /// <summary>The register that holds the end of the stack, whose places are below it.</summary>
    public const int Stack = 10;

    /// <summary>Numbers of the kernel's functions.</summary>
    public const int MapLookup = 1;
    public const int TimeNanoseconds = 5;
    public const int VlanPush = 18;
    public const int VlanPop = 19;
    public const int LoadBytes = 26;

    /// <summary>Verdicts: the next filter decides, and drop.</summary>
    public const int Next = -1;
    public const int Drop = 2;

    const byte Map = 1;
    const byte MapValue = 2;

    readonly List<(byte Operation, byte Registers, short Offset, int Immediate)> _code = [];
    readonly List<(int At, string Label)> _jumps = [];
    readonly Dictionary<string, int> _labels = [];

    public int Count => _code.Count;

    public BpfCode Label(string name)
    {
        _labels.Add(name, _code.Count);
        return this;
    }

    public BpfCode Copy(int to, int from) => Emit(0xbf, to, from);

    public BpfCode Set(int register, int value) => Emit(0xb7, register, immediate: value);

    public BpfCode SetLong(int register, long value) => Emit(0x18, register, immediate: unchecked((int)value))
        .Emit(0, 0, immediate: (int)(value >> 32));

    /// <summary>The address of the first value of an array map.</summary>
    public BpfCode SetMapValue(int register, int map) => Emit(0x18, register, MapValue, immediate: map).Emit(0, 0);

    /// <summary>What a call for that map wants.</summary>
    public BpfCode SetMap(int register, int map) => Emit(0x18, register, Map, immediate: map).Emit(0, 0);

    /// <summary>32 bits of the packet's description or of the stack.</summary>
    public BpfCode Load(int to, int from, short offset) => Emit(0x61, to, from, offset);

    public BpfCode LoadShort(int to, int from, short offset) => Emit(0x69, to, from, offset);

    public BpfCode LoadByte(int to, int from, short offset) => Emit(0x71, to, from, offset);

    public BpfCode LoadLong(int to, int from) => Emit(0x79, to, from);

    /// <summary>32 bits to the stack.</summary>
    public BpfCode StoreValue(short offset, int value) => Emit(0x62, Stack, offset: offset, immediate: value);

    public BpfCode Store(short offset, int from) => Emit(0x63, Stack, from, offset);

    public BpfCode StoreShort(short offset, int from) => Emit(0x6b, Stack, from, offset);

    public BpfCode And(int register, int mask) => Emit(0x57, register, immediate: mask);

    /// <summary>The lower 32 bits; the upper ones are 0 then.</summary>
    public BpfCode AndWord(int register, int mask) => Emit(0x54, register, immediate: mask);

    public BpfCode Or(int register, int bits) => Emit(0x47, register, immediate: bits);

    /// <summary>16 bits from network byte order to the machine's.</summary>
    public BpfCode FromNetwork(int register) => Emit(0xdc, register, immediate: 16);

    public BpfCode Add(int to, int from) => Emit(0x0f, to, from);

    public BpfCode AddValue(int register, int value) => Emit(0x07, register, immediate: value);

    public BpfCode Subtract(int to, int from) => Emit(0x1f, to, from);

    public BpfCode Multiply(int to, int from) => Emit(0x2f, to, from);

    public BpfCode ShiftLeft(int register, int bits) => Emit(0x67, register, immediate: bits);

    public BpfCode ShiftRight(int register, int bits) => Emit(0x77, register, immediate: bits);

    /// <summary>Stores if the value at the address is still register 0; register 0 then holds what was there.</summary>
    public BpfCode Exchange(int address, int value) => Emit(0xdb, address, value, immediate: 0xf1);

    public BpfCode AddAt(int address, int value) => Emit(0xdb, address, value);

    public BpfCode IfEqual(int register, int value, string label) => Jump(0x15, register, 0, value, label);

    public BpfCode IfNotEqual(int register, int value, string label) => Jump(0x55, register, 0, value, label);

    /// <summary>Compares the lower 32 bits.</summary>
    public BpfCode IfWordNot(int register, int value, string label) => Jump(0x56, register, 0, value, label);

    public BpfCode IfLess(int register, int value, string label) => Jump(0xa5, register, 0, value, label);

    public BpfCode IfAtMost(int register, int value, string label) => Jump(0xb5, register, 0, value, label);

    public BpfCode IfSame(int register, int other, string label) => Jump(0x1d, register, other, 0, label);

    public BpfCode IfAtLeast(int register, int other, string label) => Jump(0x3d, register, other, 0, label);

    public BpfCode IfMore(int register, int other, string label) => Jump(0x2d, register, other, 0, label);

    public BpfCode Go(string label) => Jump(0x05, 0, 0, 0, label);

    public BpfCode Call(int function) => Emit(0x85, 0, immediate: function);

    public BpfCode Return(int verdict) => Set(0, verdict).Exit();

    /// <summary>With the verdict in register 0.</summary>
    public BpfCode Exit() => Emit(0x95, 0);

    /// <summary>Whether something jumps to the label: the kernel refuses instructions that nothing leads to.</summary>
    public bool Wants(string label) => _jumps.Exists(jump => jump.Label == label);

    public byte[] Bytes()
    {
        foreach (var (at, label) in _jumps)
        {
            _code[at] = _code[at] with { Offset = checked((short)(_labels[label] - at - 1)) };
        }

        var bytes = new byte[_code.Count * 8];
        for (var place = 0; place < _code.Count; place++)
        {
            var (operation, registers, offset, immediate) = _code[place];
            var target = bytes.AsSpan(place * 8);
            target[0] = operation;
            target[1] = registers;
            BinaryPrimitives.WriteInt16LittleEndian(target[2..], offset);
            BinaryPrimitives.WriteInt32LittleEndian(target[4..], immediate);
        }

        return bytes;
    }

    BpfCode Jump(byte operation, int register, int other, int value, string label)
    {
        _jumps.Add((_code.Count, label));
        return Emit(operation, register, other, immediate: value);
    }

    BpfCode Emit(byte operation, int to, int from = 0, short offset = 0, int immediate = 0)
    {
        _code.Add((operation, (byte)((from << 4) | to), offset, immediate));
        return this;
    }
}
